"""Positions in the events of an account, after which a reader goes on."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import NotFound
from engine.store import Store
from engine.store.accounts.account_events import (
    AccountEvent,
    AccountEventLog,
    AccountEvents,
    ChangeKind,
)
from engine.values.plain import moment
from gateway.events.account_feed import AccountCursor, AccountFeed, parse_account_cursor
from gateway.live_events import LiveEvents

AT = 1_000


def event(at: int, name: str) -> AccountEvent:
    return AccountEvent(at=at, kind=ChangeKind.WORKFLOW, id=name)


class Log:
    """Events of a store; each read ends before a time."""

    def __init__(self, *events: AccountEvent) -> None:
        self.events = events
        self.until = 0

    async def read_since(self, account_id: str, since: int | None) -> AccountEvents:
        at = self.until if since is None else since
        found = [each for each in self.events if at <= each.at < self.until]
        return AccountEvents(events=found, until=self.until)


class Rows:
    """Rows of workflows; one is gone."""

    async def execution(self, execution_id: str) -> tuple[str, dict[str, Any]]:
        raise NotFound("There is none")

    async def wait(self, execution_id: str, node_index: int) -> dict[str, Any]:
        if execution_id == "gone":
            raise NotFound("There is none")
        return {"id": execution_id, "waiting": {"index": node_index}}

    async def delivery(self, delivery_id: str) -> dict[str, Any]:
        raise NotFound("There is none")

    async def workflow(self, slug: str) -> dict[str, Any]:
        if slug == "gone":
            raise NotFound("There is none")
        return {"slug": slug}


def feed(log: Log, after: AccountCursor | None) -> AccountFeed:
    store = cast(Store, SimpleNamespace(account_events=log))
    live = LiveEvents(cast(AccountEventLog, log))
    return AccountFeed(store, live, "acc", lambda: nullcontext(Rows()), after)


async def read(reader: AccountFeed, log: Log, until: int) -> list[tuple[str, str]]:
    log.until = until
    page = await reader.read("")
    return [
        (str(cursor), cast(dict[str, Any], data)["id"])
        async for cursor, _, data in reader.translate(page)
    ]


async def test_events_of_a_millisecond_are_numbered_and_read_once() -> None:
    log = Log(event(AT, "a"), event(AT, "b"), event(AT + 1, "c"))
    reader = feed(log, AccountCursor(AT - 5, 0))

    first, second = await read(reader, log, AT + 1), await read(reader, log, AT + 2)

    assert first == [(f"{AT}-1", "a"), (f"{AT}-2", "b")]
    assert second == [(f"{AT + 1}-1", "c")]


async def test_a_reader_goes_on_within_a_millisecond() -> None:
    log = Log(event(AT, "a"), event(AT, "b"), event(AT + 1, "c"))

    rest = await read(feed(log, AccountCursor(AT, 1)), log, AT + 2)

    assert rest == [(f"{AT}-2", "b"), (f"{AT + 1}-1", "c")]


async def test_a_reader_without_a_position_begins_now_and_is_told_where() -> None:
    log = Log(event(AT, "a"), event(AT + 1, "c"))
    reader = feed(log, None)

    assert await read(reader, log, AT + 1) == []
    assert reader.heartbeat == b"id: %d-0\n\n" % (AT + 1)
    assert await read(reader, log, AT + 2) == [(f"{AT + 1}-1", "c")]


async def test_an_event_whose_row_is_gone_is_left_out() -> None:
    log = Log(event(AT, "gone"), event(AT, "there"))

    assert await read(feed(log, AccountCursor(AT, 0)), log, AT + 1) == [(f"{AT}-2", "there")]


def test_the_id_of_an_event_is_its_position() -> None:
    assert parse_account_cursor("12-3") == AccountCursor(12, 3)
    assert str(AccountCursor(12, 3)) == "12-3"
    for text in ("", "12", "12-", "-3", "12-3-4", "a-b", "12.3", "1" * 16 + "-1", "١-1"):
        with pytest.raises(ValueError, match="not the id"):
            parse_account_cursor(text)


async def test_a_wait_has_the_row_of_its_execution() -> None:
    waiting = AccountEvent(at=AT, kind=ChangeKind.WAITING, id="x/12")
    log = Log(waiting, AccountEvent(at=AT + 1, kind=ChangeKind.WAITING, id="gone/0"))
    log.until = AT + 5
    reader = feed(log, AccountCursor(AT, 0))

    page = await reader.read("")
    [(_, name, data)] = [each async for each in reader.translate(page)]

    assert name == "execution.waiting"
    assert data == {"id": "x", "at": moment(AT), "waiting": {"index": 12}}
