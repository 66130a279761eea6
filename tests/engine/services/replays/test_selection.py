"""Choice of the executions to replay, in Redis and in the history alike."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.errors import InvalidBody
from engine.history.database.connections import Database
from engine.services.replays.selection import Selection
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.redis.record_packing import pack
from tests.support.history.archived import History, opened
from tests.support.history.rows import MONDAY, ended
from tests.support.store.records import save

NEVER = 9
"""A version that is not kept."""


class Runs:
    """Ended executions of the workflow `echo`, each a millisecond after the one before."""

    def __init__(self, history: History, account: Account) -> None:
        self.history = history
        self.account = account
        self._at = MONDAY

    async def put(self, **fields: Any) -> EndedRecord:
        self._at += 1
        known: dict[str, Any] = {"version": 1, "inputs": pack({}), "slug": "echo"}
        made = ended(account_id=self.account.id, at=self._at, **(known | fields))
        await self.history.put([made])
        return made

    @property
    def selection(self) -> Selection:
        return Selection(self.history.store, self.account.id, "echo")


@pytest.fixture
async def runs(
    settings: Settings, database: Database, store: Store, account: Account
) -> AsyncIterator[Runs]:
    await save(store, account, "echo")
    async with opened(settings, database) as history:
        yield Runs(history, account)


UNFIT = (
    *({"source": each} for each in ("app-draft", "replay", "test", "sub")),
    {"status": "cancelled"},
    {"slug": "other"},
    {"owner": "acc_2"},
    {"dropped": "1", "inputs": None},
    {"version": NEVER},
)


async def test_the_newest_are_hot_and_archived_runs_that_can_be_replayed(runs: Runs) -> None:
    fit = [await runs.put(), await runs.put(status="failed", source="batch")]
    for fields in UNFIT:
        await runs.put(**fields)
    fit += [await runs.put(source="trigger"), await runs.put(source="mcp")]
    await runs.history.move(fit[0].reference, fit[1].reference)

    newest = [each.execution_id for each in fit][::-1]
    assert await runs.selection.newest(200) == newest
    assert await runs.selection.newest(3) == newest[:3]


async def test_without_a_run_the_refusal_says_so(runs: Runs) -> None:
    await runs.put(source="replay")

    with pytest.raises(InvalidBody) as refusal:
        await runs.selection.newest(5)
    assert refusal.value.context["field"] == "last"


async def test_named_ones_are_taken_once_in_their_order(runs: Runs) -> None:
    first, second = await runs.put(), await runs.put()
    await runs.history.move(first.reference)
    ids = [first.execution_id, second.execution_id]

    assert await runs.selection.named([*ids, first.execution_id]) == ids


async def test_those_that_cannot_be_taken_are_named(runs: Runs) -> None:
    fit = await runs.put()
    unfit = [(await runs.put(**fields)).execution_id for fields in UNFIT]

    with pytest.raises(InvalidBody) as refusal:
        await runs.selection.named([fit.execution_id, *unfit, "no-id", *unfit])
    assert refusal.value.context["executionIds"] == [*unfit, "no-id"]
    assert fit.execution_id not in refusal.value.message
    assert await runs.selection.named([fit.execution_id]) == [fit.execution_id]
    stranger = Selection(runs.history.store, "acc_2", "echo")
    with pytest.raises(InvalidBody):
        await stranger.named([fit.execution_id])
