"""Items begin in the script that accepts their execution: once, and only while there is room."""

from dataclasses import replace
from typing import Any

import pytest

from engine.access.tiers import TierTerms
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan
from engine.ids.executions import item_execution_id
from engine.ids.partitions import partition_of
from engine.store import Accepted, Account, BatchAccepted, ItemRefused, Store, Workflow
from engine.store.batches.records import NewBatch, NewItem
from engine.store.executions.new_execution import BatchItem
from engine.store.redis import batch_keys, keyspace, process_keys
from tests.support.store.records import NotAccepted, accept, save

Saved = tuple[Workflow, Plan]


class Items:
    """Begins items of one batch."""

    def __init__(self, store: Store, account: Account, saved: Saved) -> None:
        self.store = store
        self.account = account
        self.saved = saved
        self.terms: TierTerms = store.tiers.terms(account.tier, account.role)
        self.batch_id = ""

    async def batch(self, count: int, concurrency: int = 100) -> None:
        new = NewBatch(
            account_id=self.account.id,
            slug=self.saved[0].slug,
            version=1,
            items=[NewItem({}) for _ in range(count)],
            concurrency=concurrency,
        )
        assert isinstance(await self.store.batches.add(new), BatchAccepted)
        self.batch_id = new.batch_id

    async def begin(self, index: int) -> Accepted | str:
        """Return the acceptance of an item, or the reason of the refusal."""
        options: dict[str, Any] = {
            "execution_id": item_execution_id(self.batch_id, index),
            "terms": self.terms,
            "item": BatchItem(self.batch_id, index),
        }
        try:
            return await accept(self.store, self.account, *self.saved, **options)
        except NotAccepted as refusal:
            assert isinstance(refusal.verdict, ItemRefused)
            return refusal.verdict.reason

    async def states(self) -> str:
        return await self.store.batches.item_states(self.account.id, self.batch_id)

    async def numbers(self) -> list[int]:
        """Return the account's queued and running items."""
        key = batch_keys.account_items(self.account.id)
        values = await self.store.client.send("HMGET", key, "queued", "active")
        return [int(value or 0) for value in values]


@pytest.fixture
async def items(store: Store, account: Account) -> Items:
    return Items(store, account, await save(store, account))


async def test_a_second_begin_finds_the_first(items: Items, store: Store) -> None:
    await items.batch(2)

    first = await items.begin(1)
    second = await items.begin(1)

    assert isinstance(first, Accepted)
    assert first == second
    assert await items.states() == "qp"
    assert await items.numbers() == [1, 1]
    execution_id = item_execution_id(items.batch_id, 1)
    await store.client.send("DEL", keyspace.execution(items.account.id, execution_id))
    assert await items.begin(1) == "begun"  # though its record has gone to the history
    assert await items.numbers() == [1, 1]


async def test_an_item_of_a_batch_that_is_cancelled_or_gone_does_not_begin(
    items: Items, store: Store
) -> None:
    await items.batch(2)
    await store.batches.cancel(items.account.id, items.batch_id)

    assert await items.begin(0) == "cancelled"
    await store.client.send("DEL", batch_keys.batch(items.account.id, items.batch_id))
    assert await items.begin(0) == "cancelled"
    executions = keyspace.account_executions(items.account.id)
    assert await store.client.send("ZCARD", executions) == 0


async def test_no_item_begins_beyond_the_concurrency(items: Items) -> None:
    await items.batch(3, concurrency=2)

    begun = [await items.begin(index) for index in range(3)]

    assert [each if isinstance(each, str) else "ok" for each in begun] == ["ok", "ok", "full"]
    assert await items.states() == "ppq"


async def test_items_take_half_of_the_executions_and_none_beyond_all(items: Items) -> None:
    items.terms = replace(items.terms, executions_at_once=4)
    await items.batch(5)

    assert isinstance(await items.begin(0), Accepted)
    assert isinstance(await items.begin(1), Accepted)
    assert await items.begin(2) == "full"

    items.terms = replace(items.terms, executions_at_once=6)
    for _ in range(4):  # single runs, which may take the whole
        await accept(items.store, items.account, *items.saved, terms=items.terms)
    await items.batch(1)
    with pytest.raises(Exception, match="under way"):
        await items.begin(0)


async def test_items_take_half_of_the_window_and_none_beyond_all(
    items: Items, store: Store, young_window: None
) -> None:
    items.terms = replace(items.terms, runs_per_minute=5)
    await items.batch(5)

    begun = [await items.begin(index) for index in range(4)]
    window = await store.rate_windows.current(items.account.id, "workflows/run", 5)

    assert [each if isinstance(each, str) else "ok" for each in begun] == [*["ok"] * 3, "later"]
    assert window.calls == 3
    windows = keyspace.windows(partition_of(items.account.id))
    ends = window.ends_at * 1000
    field = f"{items.account.id}|workflows/run"
    await store.client.send("HSET", windows, field, f"{ends}:5", f"{field}|items", f"{ends}:1")
    assert await items.begin(3) == "later"  # calls have taken the whole window


async def test_hints_of_items_go_to_the_bulk_queue(items: Items, store: Store) -> None:
    await items.batch(1)

    await items.begin(0)

    bulk = await store.client.send("LRANGE", process_keys.hints("bulk"), 0, -1)
    reference = f"{items.account.id}/{item_execution_id(items.batch_id, 0)}"
    assert bulk == [f"walk|{reference}".encode()]  # without the run inside
    assert await store.client.send("LLEN", process_keys.hints("walk")) == 0


async def test_a_cancel_without_a_worker_counts_the_item_once(items: Items, store: Store) -> None:
    await items.batch(2)
    await items.begin(0)
    execution_id = item_execution_id(items.batch_id, 0)

    status = await store.executions.cancel(items.account.id, execution_id)

    assert status is ExecutionStatus.CANCELLED
    assert await items.states() == "xq"
    assert await items.numbers() == [1, 0]
