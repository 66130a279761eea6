"""Live events: one reader for all streams of an account, and none of them misses an event."""

import asyncio
from contextlib import ExitStack, nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import NotFound, Unavailable
from engine.store import Store
from engine.store.accounts.account_events import (
    AccountEvent,
    AccountEventLog,
    AccountEvents,
    ChangeKind,
)
from gateway import live_events
from gateway.events.account_feed import MAX_SHARED, AccountFeed
from gateway.live_events import LiveEvents

PATIENCE = 30


class Log:
    """Events of a store, one a millisecond, in reads of at most two."""

    def __init__(self) -> None:
        self.events: list[AccountEvent] = []
        self.now = 1_000
        self.reads = 0
        self.is_away = False

    def add(self, *names: str) -> None:
        for name in names:
            event = AccountEvent(at=self.now, kind=ChangeKind.WORKFLOW, id=name)
            self.events.append(event)
            self.now += 1

    async def read_since(self, account_id: str, since: int | None) -> AccountEvents:
        self.reads += 1
        if self.is_away:
            raise Unavailable
        if since is None:
            return AccountEvents(events=[], until=self.now)
        found = [each for each in self.events if each.at >= since]
        until = found[1].at + 1 if len(found) > 2 else self.now
        return AccountEvents(events=found[:2], until=until)


class Rows:
    """Rows of workflows, counted; one is gone and one is large."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def execution(self, execution_id: str) -> tuple[str, dict[str, Any]]:
        raise NotFound("There is none")

    async def wait(self, execution_id: str, node_index: int) -> dict[str, Any]:
        raise NotFound("There is none")

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        raise NotFound("There is none")

    async def workflow(self, slug: str) -> dict[str, Any]:
        self.read.append(slug)
        if slug == "gone":
            raise NotFound("There is none")
        return {"slug": slug, "name": "x" * (MAX_SHARED if slug == "large" else 1)}


class Reader:
    """A stream's way of reading: when it is woken."""

    def __init__(self, log: Log, live: LiveEvents, rows: Rows) -> None:
        store = cast(Store, SimpleNamespace(account_events=log))
        self.feed = AccountFeed(store, live, "acc", lambda: nullcontext(rows), None)
        self.woken = asyncio.Event()
        self.ids: list[str] = []

    async def read(self) -> None:
        page = await self.feed.read("")
        self.ids += [str(cursor) async for cursor, _, _ in self.feed.translate(page)]

    async def read_until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.ids) < count:
                await self.woken.wait()
                self.woken.clear()
                await self.read()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_events, "READ_SECONDS", 0.01)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def rows() -> Rows:
    return Rows()


async def follow(log: Log, rows: Rows, stack: ExitStack, count: int) -> list[Reader]:
    """Return readers that are at the present."""
    live = LiveEvents(cast(AccountEventLog, log))
    readers = [Reader(log, live, rows) for _ in range(count)]
    for reader in readers:
        await reader.read()
        stack.enter_context(reader.feed.following(reader.woken.set))
    for reader in readers:
        async with asyncio.timeout(PATIENCE):
            await reader.woken.wait()
        reader.woken.clear()
    return readers


async def test_all_streams_have_all_events_and_each_row_is_read_once(log: Log, rows: Rows) -> None:
    with ExitStack() as stack:
        readers = await follow(log, rows, stack, 3)
        expected = []
        for names in (("a", "b"), ("c",), ("d", "e")):
            expected += [f"{log.now + place}-1" for place in range(len(names))]
            log.add(*names)
            await asyncio.gather(*(each.read_until(len(expected)) for each in readers))

    assert [each.ids for each in readers] == [expected] * 3
    assert rows.read == ["a", "b", "c", "d", "e"]


async def test_a_stream_that_slept_over_several_reads_catches_up_by_itself(
    log: Log, rows: Rows
) -> None:
    with ExitStack() as stack:
        quick, slow = await follow(log, rows, stack, 2)
        first = log.now
        for number in range(7):
            log.add(f"w{number}")
            await quick.read_until(number + 1)
        while len(slow.ids) < 7:
            await slow.read()

    assert quick.ids == slow.ids == [f"{first + number}-1" for number in range(7)]


async def test_a_silence_costs_a_stream_no_read_of_its_own(log: Log, rows: Rows) -> None:
    with ExitStack() as stack:
        [reader] = await follow(log, rows, stack, 1)
        await reader.read()
        log.now += 10_000
        before = log.reads
        while log.reads < before + 3:
            await asyncio.sleep(0.01)
        counted = log.reads
        await reader.read()

        assert log.reads == counted
        assert reader.feed.heartbeat == b"id: %d-0\n\n" % log.now


async def test_large_rows_are_read_by_each_stream_and_gone_ones_by_none(
    log: Log, rows: Rows
) -> None:
    with ExitStack() as stack:
        readers = await follow(log, rows, stack, 2)
        log.add("gone", "large")
        await asyncio.gather(*(each.read_until(1) for each in readers))

    assert [len(each.ids) for each in readers] == [1, 1]
    assert rows.read == ["gone", "large", "large", "large"]


async def test_reads_go_on_where_the_store_was_away(log: Log, rows: Rows) -> None:
    with ExitStack() as stack:
        [reader] = await follow(log, rows, stack, 1)
        log.is_away = True
        log.add("a")
        before = log.reads
        while log.reads < before + 3:
            await asyncio.sleep(0.01)
        log.is_away = False
        await reader.read_until(1)

    assert len(reader.ids) == 1


async def test_reads_end_with_the_last_stream(log: Log, rows: Rows) -> None:
    with ExitStack() as stack:
        await follow(log, rows, stack, 2)
    await asyncio.sleep(0.05)
    before = log.reads
    await asyncio.sleep(0.1)

    assert log.reads == before
