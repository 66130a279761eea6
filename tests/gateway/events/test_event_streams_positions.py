"""Positions that a stream tells: a reader that resumes there misses nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any, cast

from starlette.responses import StreamingResponse

from engine.errors import Unavailable
from engine.store import Principal
from gateway.admission.open_streams import OpenStreams
from gateway.events.event_streams import HEARTBEAT, EventStream
from gateway.services import GatewayRequest


class Feed:
    """A feed that is after its page once it has read it, and whose rows cannot be read."""

    nothing_more = SimpleNamespace(entries=(), is_all=True)
    check_seconds = 1.0

    def __init__(self, *entries: str) -> None:
        self._entries = entries

    @property
    def heartbeat(self) -> bytes:
        return b"id: after\n\n"

    def following(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()

    async def read(self, channel: str) -> Any:
        return SimpleNamespace(entries=self._entries, is_all=False, is_full=False)

    def has_new_events(self, page: Any) -> bool:
        return bool(page.entries)

    async def translate(self, page: Any) -> AsyncIterator[tuple[object, str, Any]]:
        for _ in page.entries:
            raise Unavailable
        yield "", "", {}


class Notifier:
    channel = ""

    @contextmanager
    def expecting(self, topic: str) -> Iterator[Any]:
        yield SimpleNamespace(wake=lambda: None)


async def first_blocks(feed: Feed) -> list[bytes]:
    services = SimpleNamespace(
        notifier=Notifier(), stopping=asyncio.Event(), open_streams=OpenStreams()
    )
    scope = {"type": "http", "method": "GET", "headers": [], "state": {"services": services}}
    request = GatewayRequest(scope)
    principal = cast(Principal, SimpleNamespace(account=SimpleNamespace(id="acc"), key=None))
    stream: EventStream[Any] = EventStream(
        request, principal, cast(Any, feed), topic="t", seconds=60
    )
    answer = stream.respond(await stream.read())
    assert isinstance(answer, StreamingResponse)
    pieces = aiter(answer.body_iterator)
    found = [cast(bytes, await anext(pieces))]
    if found[0] == HEARTBEAT:
        found += [cast(bytes, each) async for each in pieces]
    return found


async def test_a_position_is_not_told_before_the_events_that_precede_it() -> None:
    assert await first_blocks(Feed("an event that cannot be sent")) == [HEARTBEAT]


async def test_a_reader_without_events_is_told_its_position_at_once() -> None:
    assert await first_blocks(Feed()) == [b"id: after\n\n"]
