"""Client of Redis: pipelines the commands of one loop tick, with replies in order.

A tick with many scripts sends them a few at a time: Redis works on the first ones, and their
callers on the replies, while the others are being made.

A script whose reply was lost may have run. It is sent again with the same words, a few times within
a second, if its header says so: its second call changes nothing and has the first answer. So what a
caller makes anew for each call, such as the id of a key or of a payment, is made once. The callers
of other scripts and commands get `Unavailable` and decide. A script that Redis does not know (after
a restart) is sent again too, since it cannot have run.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import hiredis

from engine.errors import WrongStore
from engine.store.redis import errors
from engine.store.redis.address import RedisAddress
from engine.store.redis.connection import (
    Argument,
    Connection,
    ConnectionLost,
    IsReplica,
    Receiver,
    connect,
    pack,
)
from engine.store.redis.errors import StoreFault
from engine.store.redis.scripts import SCRIPTS, Script

MOST_SCRIPTS = 2
"""Scripts that are sent together. Runs of 32 callers at once were a fifth faster than with all."""

MOST_REPEATS = 3
"""Further calls of one script after lost replies."""
REPEAT_SECONDS = 1.0
"""Time after the first lost reply in which a script is sent again."""


class _Refused(Exception):
    """The server refused the connection."""

    def __init__(self, word: str, missing: str = "") -> None:
        super().__init__(word)
        self.word = word
        self.missing = missing
        """Command for which the ACL user has no permission."""


class ConnectionGuard(Protocol):
    """Permits connections of a client."""

    @property
    def refusal(self) -> WrongStore | None:
        """Refusal within the last second, in which no further connection is tried."""

    async def admit(self, connection: Connection) -> None:
        """Check a new connection. Raises WrongStore, ConnectionError or hiredis.ReplyError."""

    def watch(self, connection: Connection) -> None:
        """Check an admitted connection until it ends, and close it on a refusal."""


class Client:
    """Sends commands and scripts; raises Unavailable or StoreFull, never a Redis error.

    An error reply that means a fault of Headrace is a StoreFault. The client leaves a server that
    has become a replica, as after a failover, and the next command connects anew.

    With a guard the client sends nothing to a Redis without this installation's data: all calls
    raise WrongStore, a kind of Unavailable, until the right one is back.
    """

    keeps_order = True
    """Whether all commands are executed in the order of their calls."""

    def __init__(self, address: RedisAddress, guard: ConnectionGuard | None = None) -> None:
        self._address = address
        self._guard = guard
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._packed: list[bytes] = []
        self._scripts = 0
        """Number of scripts among them."""
        self._receivers: list[Receiver] = []
        self._is_closed = False
        self.reloads = 0
        """Number of scripts sent again, so that they were executed after later commands."""

    async def close(self) -> None:
        """Close the connection; pending calls get Unavailable."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._connection is not None:
            self._connection.abort()
            await self._connection.lost
        self._fail()

    def send(self, *command: Argument) -> asyncio.Future[Any]:
        """Queue a plain command and return the future of its reply."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue(pack(*command), self._settler(future))
        return future

    def call(self, script: Script, /, **names: Any) -> asyncio.Future[Any]:
        """Queue a script by its digest and return the future of its reply.

        `names` are the keys and arguments by their names in the script's header; TypeError is
        raised for a missing or an unknown one.
        """
        if self._scripts >= MOST_SCRIPTS:
            self._flush()
        self._scripts += 1
        call = _ScriptCall(self, script, script.names.bind(names))
        self._queue(pack("EVALSHA", script.sha, *call.words), call)
        return call.future

    def post(self, *command: Argument) -> None:
        """Queue a plain command that may be lost."""
        self._queue(pack(*command), _ignore)

    async def send_to_all(self, *command: Argument) -> list[Any]:
        """Send a plain command to every primary and return the replies: here there is one."""
        return [await self.send(*command)]

    def flush_if_idle(self) -> None:
        """Send the queued commands now, unless earlier ones have no reply yet.

        Call it before a wait for the reply, when this tick queues nothing more.
        """
        connection = self._connection
        if connection is not None and connection.is_idle:
            self._flush()

    def _queue(self, packed: bytes, receive: Receiver) -> None:
        if not self._packed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._packed.append(packed)
        self._receivers.append(receive)

    def _flush(self) -> None:
        self._scripts = 0
        if not self._packed:
            return
        connection = self._connection
        if connection is None or connection.lost.done():
            if self._is_closed:
                self._fail()
            elif self._guard is not None and (refusal := self._guard.refusal):
                self._fail(refusal)
            elif self._connecting is None:
                self._connecting = asyncio.create_task(self._connect())
            return
        packed, self._packed = self._packed, []
        receivers, self._receivers = self._receivers, []
        connection.write(packed, receivers)

    async def _connect(self) -> None:
        try:
            connection = await connect(self._address)
            await self._admit(connection)
            for script in SCRIPTS.values():
                connection.write([pack("SCRIPT", "LOAD", script.text)], [_ignore])
            self._connection = connection
        except WrongStore as error:
            self._fail(error)
        except IsReplica:
            self._fail(_Refused("READONLY"))
        except hiredis.ReplyError as error:
            text = str(error)
            self._fail(_Refused(errors.parse_word(text), errors.parse_missing(text)))
        except (OSError, TimeoutError, ValueError, hiredis.HiredisError) as error:
            # An impossible host name is a ValueError.
            self._fail(ConnectionError(errors.log_unreachable(str(self._address), error)))
        finally:
            self._connecting = None
        self._flush()

    async def _admit(self, connection: Connection) -> None:
        """Check that the connection may be used. Raises like `Guard.admit`."""
        if self._guard is None:
            return
        try:
            await self._guard.admit(connection)
        except BaseException:
            connection.abort()
            raise
        self._guard.watch(connection)

    def _fail(self, failure: Exception | None = None) -> None:
        receivers, self._receivers, self._packed = self._receivers, [], []
        failure = failure or ConnectionError("Redis cannot be reached")
        for receive in receivers:
            receive(failure)

    def queue_again(self, call: "_ScriptCall") -> None:
        """Send a script that Redis has not executed, or whose second call changes nothing."""
        self._queue(pack("EVAL", call.script.text, *call.words), call)

    @property
    def is_closed(self) -> bool:
        """Return whether no command is sent any more."""
        return self._is_closed

    def _settler(self, future: asyncio.Future[Any]) -> Receiver:
        return lambda reply: self.settle(future, reply)

    def settle(self, future: asyncio.Future[Any], reply: Any) -> None:
        """Give a caller the reply, or the error for it."""
        if isinstance(reply, Exception):
            reply = self._translate(reply)
            if not future.done():
                future.set_exception(reply)
        elif not future.done():
            future.set_result(reply)

    def _translate(self, error: Exception) -> Exception:
        if isinstance(error, WrongStore):
            return type(error)(error.seen, error.fix)  # one exception per call
        if isinstance(error, _Refused):
            return errors.unavailable(error.word, error.missing)
        if not isinstance(error, hiredis.ReplyError):
            return errors.unreachable(str(error))
        failure = errors.parse_failure(str(error))
        if not isinstance(failure, StoreFault) and failure.word in errors.REPLICA:
            self._leave()
        return failure

    def _leave(self) -> None:
        """Close the connection to a replica; pending commands get Unavailable."""
        if self._connection is not None:
            self._connection.abort()


def _is_unknown(reply: Exception) -> bool:
    """Return whether Redis refused a script because it does not know it."""
    return isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT")


class RepeatLimit:
    """Bounds the further calls of one script after lost replies."""

    __slots__ = ("_ends_at", "_left")

    def __init__(self) -> None:
        self._left = MOST_REPEATS
        self._ends_at = 0.0

    def admits(self, failure: Exception, script: Script) -> bool:
        """Return whether the script is sent again after this failure, and count it."""
        if not (script.is_sent_again and isinstance(failure, ConnectionLost)) or self._left == 0:
            return False
        now = asyncio.get_running_loop().time()
        self._ends_at = self._ends_at or now + REPEAT_SECONDS
        self._left -= 1
        return now < self._ends_at


class _ScriptCall:
    """One call of a script until its reply; receives replies, and is sent again if it may."""

    __slots__ = ("_client", "_repeats", "future", "script", "words")

    def __init__(self, client: Client, script: Script, words: Sequence[Any]) -> None:
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.script = script
        self.words = words
        self._client = client
        self._repeats: RepeatLimit | None = None

    def __call__(self, reply: Any) -> None:
        """Receive a reply."""
        if not isinstance(reply, Exception):
            if not self.future.done():
                self.future.set_result(reply)
        elif _is_unknown(reply) or self._is_repeated(reply):
            self._client.reloads += 1
            self._client.queue_again(self)
        else:
            self._client.settle(self.future, reply)

    def _is_repeated(self, failure: Exception) -> bool:
        """Return whether somebody waits for the reply, and another call may have it."""
        if self.future.done() or self._client.is_closed:
            return False
        self._repeats = self._repeats or RepeatLimit()
        return self._repeats.admits(failure, self.script)


def forget(reply: "asyncio.Future[Any]") -> None:
    """Ignore the outcome of a command that may be lost."""
    reply.add_done_callback(lambda done: done.cancelled() or done.exception())


def _ignore(_: Any) -> None:
    return
