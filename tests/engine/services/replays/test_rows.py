"""Rows of a replay: verdicts are computed once, from executions wherever these are."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.executions.batches import BatchKind
from engine.history.database.connections import Database
from engine.ids.executions import item_execution_id
from engine.services.media import MediaService
from engine.services.replays.replay_facts import EXECUTION
from engine.services.replays.rows import ReplayRow, ReplayRows
from engine.services.replays.verdicts import ReplayVerdict
from engine.settings import Settings
from engine.store import Account, Batch, NewBatch, NewItem, Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.read import list as pages
from engine.store.redis import batch_keys
from engine.store.redis.record_packing import pack
from tests.support.history.archived import History, opened
from tests.support.history.rows import ended
from tests.support.store.records import save

UNMATCHED = {
    "code": "EXECUTION_FAILED",
    "message": "No",
    "nodeId": "t",
    "nodeCode": "replay_unmatched",
    "reason": "Nothing was recorded",
}
REFUSAL = {"code": "INVALID_INPUTS", "message": "'who' is missing"}


class Replay:
    """A replay of executions, whose items end as a test says."""

    def __init__(self, history: History, account: Account, former: Sequence[EndedRecord]) -> None:
        self.history = history
        self.account = account
        self.former = former
        self.new = NewBatch(
            account_id=account.id,
            slug="echo",
            version=1,
            items=[NewItem({EXECUTION: each.execution_id}) for each in former],
            kind=BatchKind.REPLAY,
        )

    @property
    def store(self) -> Store:
        return self.history.store

    async def end(self, index: int, **fields: Any) -> EndedRecord:
        """Write the new execution of an item."""
        made = ended(account_id=self.account.id, source="replay", **fields)
        found = replace(made, execution_id=item_execution_id(self.new.batch_id, index))
        await self.history.put([found])
        return found

    async def states(self, codes: str) -> Batch:
        """Set the states of the items; return the replay."""
        key = batch_keys.batch(self.account.id, self.new.batch_id)
        await self.store.client.send("HSET", key, "states", codes)
        found = await self.store.lists.find(self.account.id, self.new.batch_id)
        assert found is not None
        return found

    async def rows(self, codes: str) -> list[ReplayRow]:
        """Complete and read all rows."""
        media = MediaService.from_settings(Settings(), self.store)
        rows = ReplayRows(self.store, media, await self.states(codes))
        return await rows.read(range(len(codes)), await rows.complete())


@pytest.fixture
async def replay(
    settings: Settings, database: Database, store: Store, account: Account
) -> AsyncIterator[Replay]:
    await save(store, account, "echo")
    async with opened(settings, database) as history:
        former = [ended(account_id=account.id, spent=3) for _ in range(6)]
        await history.put(former)
        made = Replay(history, account, former)
        await history.store.batches.add(made.new)
        yield made


async def test_items_are_compared_once_they_are_over(replay: Replay) -> None:
    await replay.end(0)
    await replay.end(1, result=pack({"text": "bye"}))
    await replay.end(2, status="failed", error=pack(UNMATCHED), result=b"")
    errors = batch_keys.batch(replay.account.id, replay.new.batch_id)
    await replay.store.client.send("HSET", errors, "f3", pack(REFUSAL))

    rows = await replay.rows("ccffpq")

    assert [each.verdict and each.verdict.word for each in rows] == [
        *("same", "different", "unmatched", "failed"),
        *(None, None),
    ]
    assert [each.execution_id for each in rows] == [each.execution_id for each in replay.former]
    begun = [item_execution_id(replay.new.batch_id, index) for index in (0, 1, 2, 4)]
    assert [each.replay_execution_id for each in rows] == [*begun[:3], None, begun[3], None]
    assert rows[1].value["changes"] == [["result.text", "hello", "bye"]]
    assert rows[1].value["before"]["creditsCost"] == 3
    assert rows[2].value["node"] == {"id": "t", "reason": "Nothing was recorded"}
    assert rows[3].value["after"]["error"] == REFUSAL


async def test_a_verdict_stays_when_the_executions_have_gone(replay: Replay) -> None:
    new = [await replay.end(index) for index in range(2)]
    first = await replay.rows("ccqqqq")
    await replay.history.move(*(each.reference for each in (*new, *replay.former)))

    again = await replay.rows("ccqqqq")

    assert again == first
    assert {each.verdict for each in again} == {ReplayVerdict.SAME, None}


async def test_archived_executions_are_compared_like_hot_ones(replay: Replay) -> None:
    new = await replay.end(0, result=pack({"text": "bye"}))
    await replay.history.move(new.reference, replay.former[0].reference)

    row, *_ = await replay.rows("cqqqqq")

    assert row.verdict is ReplayVerdict.DIFFERENT


async def test_large_results_are_compared_a_few_at_a_time(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_BYTES", 100)
    for index in range(6):
        await replay.end(index, result=pack({"text": "x" * 90}))

    rows = await replay.rows("cccccc")

    assert {each.verdict for each in rows} == {ReplayVerdict.DIFFERENT}


async def test_a_cancelled_item_has_no_verdict(replay: Replay) -> None:
    await replay.end(0, status="cancelled", result=b"")

    rows = await replay.rows("xxxxxx")

    assert {each.verdict for each in rows} == {None}
