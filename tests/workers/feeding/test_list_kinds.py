"""Lists of runs of another kind than batches, from their acceptance to their end, on a worker."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.errors import BatchNotFound
from engine.executions.batches import BatchCounts, BatchKind, BatchStatus
from engine.services.runs.listed_runs import ListKinds
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import batch_keys, keyspace
from tests.support.factories import Runner, greeting, http_fan
from tests.support.http.scripted_server import Target
from tests.support.lists.echo_kind import KIND, EchoKind
from tests.support.store.batch_runs import BatchRuns, texts
from workers.feeding import feeders
from workers.main import worker

Register = Callable[..., EchoKind]


@pytest.fixture
def batches(runner: Runner) -> BatchRuns:
    return BatchRuns(runner)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, store: Store) -> Register:
    """Return a function that registers a kind in place of the product's."""

    def registered(**members: Any) -> EchoKind:
        kind = EchoKind(store, **members)
        kinds: ListKinds = {KIND: kind}
        monkeypatch.setattr(feeders, "make_list_kinds", lambda *_: kinds)
        return kind

    return registered


async def test_items_begin_as_the_kind_says_and_its_end_settles_the_list(
    batches: BatchRuns, register: Register, settings: Settings
) -> None:
    kind = register(waiting={3}, refused={2})
    async with worker(settings):
        list_id = await batches.begin(greeting(), texts(5), kind=KIND, concurrency=4, tags=("t",))
        ended = await batches.wait_settled(list_id)

    assert (ended.status, ended.counts) == (
        BatchStatus.COMPLETED,
        BatchCounts(completed=4, failed=1),
    )
    assert kind.settled == [list_id]
    lists, account_id = batches.store.lists, batches.account_id
    assert await lists.verdict_codes(account_id, list_id) == "ccfcc"
    assert await lists.verdicts(account_id, list_id, [2]) == {2: {"state": "f"}}
    errors = await batches.store.batches.item_errors(account_id, list_id, [2])
    assert errors[2]["code"] == "INSUFFICIENT_CREDITS"
    record = await batches.record(list_id, 0)
    assert (record["source"], record["tags"]) == (b"replay", b"t")
    assert await batches.counters() == {"queued": 0, "active": 0}
    with pytest.raises(BatchNotFound):
        await batches.store.batches.get(account_id, list_id)
    key = batch_keys.account_items(account_id)
    assert await batches.store.client.send("HGET", key, "lists") == b"0"


@pytest.mark.parametrize("account_tier", [Tier.FREE])
async def test_executions_of_a_list_count_in_no_figure_of_the_workflow_and_in_no_window(
    batches: BatchRuns, register: Register, settings: Settings, runner: Runner
) -> None:
    register()
    slug = await runner.save(greeting())
    async with worker(settings):
        list_id = await batches.begin(slug, texts(30), kind=KIND, concurrency=4)
        assert (await batches.wait_settled(list_id)).counts.completed == 30

    workflow = keyspace.workflow(runner.account.id, slug)
    assert await runner.store.client.send("HGET", workflow, "runs") is None
    windows = await runner.store.client.send("KEYS", "*windows*")
    held = [await runner.store.client.send("HKEYS", each) for each in windows]
    assert not [each for names in held for each in names if runner.account.id.encode() in each]


async def test_a_cancelled_list_begins_nothing_more_and_is_settled(
    batches: BatchRuns, register: Register, settings: Settings, target: Target
) -> None:
    kind = register()
    async with worker(settings):
        graph = http_fan(f"{target.url}/slow/30", 1)
        list_id = await batches.begin(graph, [{}] * 6, kind=KIND, concurrency=2)
        await batches.wait_running(list_id, 2)
        await batches.store.batches.cancel(batches.account_id, list_id)
        ended = await batches.wait_settled(list_id)

    assert (ended.status, ended.counts) == (BatchStatus.CANCELLED, BatchCounts(cancelled=6))
    assert kind.settled == [list_id]


async def test_a_worker_leaves_a_kind_that_it_does_not_know_to_others(
    batches: BatchRuns, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(feeders, "make_list_kinds", lambda *_: {})
    async with worker(settings):
        unknown = await batches.begin(greeting(), texts(2), kind=BatchKind.TESTS)
        known = await batches.begin(greeting(), texts(2))
        await batches.end(known)

    assert (await batches.store.batches.item_states(batches.account_id, unknown)) == "qq"
