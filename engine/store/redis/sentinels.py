"""Primary that sentinels name, and the connections that follow it.

The sentinels are asked at each connect. While a process has connections to servers that sentinels
named, it asks again every few seconds and ends those to a server that another has replaced, since
a server that is cut off from its sentinels does not say so.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from engine.executions.retry import jittered
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.blocking_client import is_promoted, parse_place

ANSWER_SECONDS = 0.5
"""Longest wait for a sentinel."""
QUESTION_SECONDS = 0.1
"""Least time between two questions of a process, of which all that connect share the answer."""
REDIAL_SECONDS = 0.25
"""Time after which the sentinels are asked again about a server that has not answered yet."""
LOOK_SECONDS = 2.0
"""Longest time between two looks at the named primary while there are connections."""
LINGER_SECONDS = 10.0
"""Time for which the connections to the sentinels are kept without a connection to a server."""
SILENT = "does not answer"
CHECK_TLS = (
    "With TLS, HEADRACE_REDIS_TLS_CA must name the file with their authority, and "
    "HEADRACE_REDIS_TLS_CERT and _KEY a certificate of this client if they ask for one."
)

log = logging.getLogger(__name__)


class NoPrimary(ConnectionError):
    """No sentinel names a primary; the text has the reason of each."""


class Followed(Protocol):
    """Connection that ends when its server is no longer the primary."""

    lost: "asyncio.Future[None]"

    def abort(self) -> None:
        """Close the connection at once."""


C = TypeVar("C", bound=Followed)


class Sentinels:
    """The sentinels of an address, over connections that this process keeps."""

    def __init__(self, address: RedisAddress) -> None:
        options = address.library_options | {
            "socket_timeout": ANSWER_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
        self._address = address
        places = [(node.host, node.port) for node in address.nodes]
        self._library = Sentinel(places, sentinel_kwargs=options)
        self._service = address.service
        self._loop = asyncio.get_running_loop()
        self._question: asyncio.Task[RedisNode] | None = None
        self._asked_at = 0.0
        self._used_at = self._loop.time()
        self._places: dict[Followed, RedisNode] = {}
        self._watch: asyncio.Task[None] | None = None

    async def connect(self, dial: Callable[[RedisNode], Awaitable[C]]) -> C:
        """Dial the primary; when another is named meanwhile, that one.

        Raises NoPrimary, and what `dial` raises.
        """
        self._used_at = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.create_task(self._follow(), name="sentinels")
        while True:
            node = await self.primary()
            connection = await self._dial(dial, node)
            if connection is not None:
                self._places[connection] = node
                connection.lost.add_done_callback(partial(self._forget, connection))
                return connection

    async def primary(self) -> RedisNode:
        """Return host and port of the primary. Raises NoPrimary."""
        if self._question is None:
            self._question = self._loop.create_task(self._ask(), name="sentinels' primary")
            self._question.add_done_callback(self._forget_question)
        return await asyncio.shield(self._question)

    def _forget(self, connection: Followed, _: "asyncio.Future[None]") -> None:
        del self._places[connection]

    def _forget_question(self, question: "asyncio.Task[RedisNode]") -> None:
        self._question = None
        if not question.cancelled():
            question.exception()  # everybody who asked may have gone

    async def _dial(self, dial: Callable[[RedisNode], Awaitable[C]], node: RedisNode) -> C | None:
        """Dial a server; return None when the sentinels name another before it has answered."""
        dialing = asyncio.ensure_future(dial(node))
        connection = None
        try:
            while not dialing.done():
                await asyncio.wait([dialing], timeout=REDIAL_SECONDS)
                if not dialing.done() and await self._has_changed(node):
                    return None
            connection = dialing.result()
            return connection
        finally:
            if connection is None:
                dialing.cancel()
                dialing.add_done_callback(_abort)

    async def _has_changed(self, node: RedisNode) -> bool:
        """Return whether the sentinels name another primary; while they name none, it is kept."""
        try:
            return await self.primary() != node
        except NoPrimary:
            return False

    async def _ask(self) -> RedisNode:
        """Ask all sentinels at once; a majority suffices, or those that answer in time.

        The answer with the highest epoch counts: a sentinel that was cut off names an old primary.
        """
        pause = self._asked_at + jittered(QUESTION_SECONDS) - self._loop.time()
        await asyncio.sleep(max(0.0, pause))
        self._asked_at = self._loop.time()
        majority = len(self._library.sentinels) // 2 + 1
        named, reasons = list[tuple[int, RedisNode]](), list[str]()
        answers = [self._ask_one(client) for client in self._library.sentinels]
        for answer in asyncio.as_completed(answers):
            match await answer:
                case str() as reason:
                    reasons.append(reason)
                case named_primary:
                    named.append(named_primary)
            if len(named) == majority:
                break
        if not named:
            seen = "; ".join(sorted(reasons))
            hint = f". {CHECK_TLS}" if self._address.tls and SILENT in seen else ""
            raise NoPrimary(f"No sentinel names a primary of {self._service}: {seen}{hint}")
        return max(named, key=lambda each: each[0])[1]

    async def _ask_one(self, client: "Redis") -> tuple[int, RedisNode] | str:
        """Return epoch and node of the primary that a sentinel names, or the reason for none."""
        options = client.connection_pool.connection_kwargs
        place = f"{options['host']}:{options['port']}"
        try:
            states: Any = await client.sentinel_masters()
            state = states.get(self._service)
            named = parse_place(await client.sentinel_get_master_addr_by_name(self._service))
        except Exception as error:  # the library parses the answer of whatever listens there
            return f"{place} {SILENT} ({error or type(error).__name__})"
        if state is None or named is None:
            return f"{place} does not know the service"
        is_up = self._library.check_master_state(state, self._service)
        if not is_up and not is_promoted(state, named):
            return f"{place} sees it down"
        return state["config-epoch"], RedisNode(host=named[0], port=named[1])

    async def _follow(self) -> None:
        try:
            while self._places or self._loop.time() < self._used_at + LINGER_SECONDS:
                await asyncio.sleep(jittered(LOOK_SECONDS))
                if self._places:
                    with contextlib.suppress(NoPrimary):
                        self._leave_others(await self.primary())
        finally:
            _known.get(self._loop, {}).pop(self._address, None)
            with contextlib.suppress(RedisError, OSError):
                await self._library.aclose()

    def _leave_others(self, primary: RedisNode) -> None:
        left = [each for each, node in self._places.items() if node != primary]
        if left:
            log.warning(
                "the sentinels name another primary",
                extra={"primary": str(primary), "connections": len(left)},
            )
        for connection in left:
            connection.abort()


_known: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[RedisAddress, Sentinels]]
_known = WeakKeyDictionary()


def sentinels_of(address: RedisAddress) -> Sentinels:
    """Return the sentinels of an address, which all connections of an event loop share."""
    known = _known.setdefault(asyncio.get_running_loop(), {})
    if address not in known:
        known[address] = Sentinels(address)
    return known[address]


def _abort(dialing: "asyncio.Future[Any]") -> None:
    if not dialing.cancelled() and dialing.exception() is None:
        dialing.result().abort()
