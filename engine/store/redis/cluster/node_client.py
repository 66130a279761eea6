"""Pipeline to one primary of a cluster."""

from collections.abc import Callable

from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.client import MOST_SCRIPTS, Client, ConnectionGuard
from engine.store.redis.connection import Receiver, pack

ASKING = pack("ASKING")


class NodeClient(Client):
    """Client of one primary; `on_failure` is called when it is lost or cannot be reached."""

    def __init__(
        self,
        address: RedisAddress,
        node: RedisNode,
        guard: ConnectionGuard | None,
        on_failure: Callable[[], None],
    ) -> None:
        super().__init__(address.at(node), guard)
        self.node = node
        self._on_failure = on_failure
        self.is_failing = False
        """Whether the last connection was lost or refused, until there is another one."""

    @property
    def is_connected(self) -> bool:
        """Return whether commands are sent at once."""
        return self._connection is not None and not self._connection.lost.done()

    @property
    def is_idle(self) -> bool:
        """Return whether no command is queued and no reply is outstanding."""
        return not (self._receivers or (self._connection and not self._connection.is_idle))

    def queue_script(self, packed: bytes, receive: Receiver) -> None:
        """Queue the packed call of a script; the tick's first ones are sent before the others."""
        if self._scripts >= MOST_SCRIPTS:
            self._flush()
        self._scripts += 1
        self._queue(packed, receive)

    def queue(self, packed: bytes, receive: Receiver) -> None:
        """Queue a packed command."""
        self._queue(packed, receive)

    def queue_asking(self, packed: bytes, receive: Receiver) -> None:
        """Queue a packed command for a slot that is being moved to this primary."""
        self._queue(ASKING, _ignore)
        self._queue(packed, receive)

    def translate(self, failure: Exception) -> Exception:
        """Return the error for a caller of a failed command."""
        return self._translate(failure)

    async def _connect(self) -> None:
        await super()._connect()
        connection = self._connection
        if connection is not None and not connection.lost.done():
            self.is_failing = False
            connection.lost.add_done_callback(lambda _: self._lose())

    def _fail(self, failure: Exception | None = None) -> None:
        super()._fail(failure)
        self._lose()

    def _lose(self) -> None:
        if not self._is_closed:
            self.is_failing = True
            self._on_failure()


def _ignore(_: object) -> None:
    return
