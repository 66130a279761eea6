"""Calls that take the event loop long, one of an account at a time."""

import asyncio
from typing import Any

import httpx2
import pytest

from engine.store import Account
from engine.store.executions.read.list import ExecutionList
from tests.support.eventually import eventually

pytestmark = pytest.mark.A91h

LISTS = "/api/executions"


class HeldLists:
    """Notes which accounts have a list being read, and lets none end before it is told to."""

    def __init__(self) -> None:
        self.reading: list[str] = []
        self.may_end = asyncio.Event()

    async def page(self, account_id: str, *_: Any, **__: Any) -> tuple[list[Any], None]:
        """Stand in for `ExecutionList.page`."""
        self.reading.append(account_id)
        await self.may_end.wait()
        return [], None


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> HeldLists:
    held = HeldLists()
    monkeypatch.setattr(
        ExecutionList, "page", lambda _, *args, **options: held.page(*args, **options)
    )
    return held


async def test_an_account_has_one_list_read_at_a_time_and_others_do_not_wait_for_it(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    account: Account,
    stranger: Account,
    lists: HeldLists,
) -> None:
    calls = [asyncio.create_task(client.get(LISTS)) for _ in range(5)]
    await eventually(lambda: _value(lists.reading), lambda found: len(found) == 1)
    calls.append(asyncio.create_task(strangers_client.get(LISTS)))
    await eventually(lambda: _value(lists.reading), lambda found: len(found) == 2)
    assert (await client.get("/api/whoami")).status_code == 200

    assert lists.reading == [account.id, stranger.id]
    lists.may_end.set()
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
    assert lists.reading.count(account.id) == 5


async def test_a_caller_who_gives_up_waiting_leaves_the_turn_to_the_next(
    client: httpx2.AsyncClient, lists: HeldLists
) -> None:
    first = asyncio.create_task(client.get(LISTS))
    await eventually(lambda: _value(lists.reading), bool)
    with pytest.raises(httpx2.TimeoutException):
        await client.get(LISTS, timeout=0.2)
    lists.may_end.set()
    assert (await first).status_code == 200

    assert (await client.get(LISTS)).status_code == 200


async def _value(found: list[str]) -> list[str]:
    return found
