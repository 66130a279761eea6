"""Batches from their acceptance to their end, on a whole worker in this process."""

import asyncio
import base64
import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.access.capabilities import Tier
from engine.executions.batches import BatchCounts, BatchStatus
from engine.executions.statuses import ExecutionStatus
from engine.graph.document import parse_document
from engine.ids.executions import item_execution_id, new_execution_id
from engine.ids.partitions import partition_of
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.batches.chunks import MOST_BYTES
from engine.store.executions.record_fields import parse_name
from engine.store.redis import batch_keys, keyspace
from engine.store.webhooks.owners import batch_owner
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.store.workflows.versions import VERSIONS_KEPT
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting, http_fan
from tests.support.http.scripted_server import Target
from tests.support.http.webhook_receivers import Receiver
from tests.support.store.batch_runs import BatchRuns, texts
from tests.support.workers.paying_account import PRICE
from workers.main import worker
from workers.walk.walker import Walker

NOTHING: Sequence[dict[str, Any]] = [{}]


@pytest.fixture(params=[{"webhook_time_scale": 0.01}])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return replace(settings, **request.param)


@pytest.fixture
def batches(runner: Runner) -> BatchRuns:
    return BatchRuns(runner)


def charged() -> Graph:
    """A call of a model that costs credits."""
    graph = Graph("who").node("one", "customModel", model="echo").wire("in.who > one.prompt-in")
    return graph.node("out", "responseOutput").wire("one.text-out > out.result-in")


async def most_active(batches: BatchRuns, batch_id: str) -> int:
    """Return the most items that ran at once until the end of the batch."""
    most = 0
    while not (await batches.get(batch_id)).status.is_over:
        most = max(most, (await batches.counters())["active"])
        await asyncio.sleep(0.002)
    return most


async def test_all_items_become_executions_and_their_ends_are_counted(
    batches: BatchRuns, walker: Walker
) -> None:
    batch_id = await batches.begin(greeting(), texts(30), tags=("all",), concurrency=7, depth=3)

    batch = await batches.end(batch_id)

    assert (batch.status, batch.counts) == (BatchStatus.COMPLETED, BatchCounts(completed=30))
    assert batch.completed_at is not None
    assert batch.completed_at >= batch.created_at
    assert await batches.execution_ids() == {item_execution_id(batch_id, i) for i in range(30)}
    for index in (0, 13, 29):
        execution = await batches.execution(batch_id, index)
        assert execution.status is ExecutionStatus.COMPLETED
        assert f"number {index}" in str(execution.result)
        record = await batches.record(batch_id, index)
        assert (record["source"], record["batch"]) == (b"batch", batch_id.encode())
        assert record["item"] == str(index).encode()
        assert (record["tags"], record["depth"]) == (b"all", b"3")
    assert await batches.counters() == {"queued": 0, "active": 0}


async def test_failed_and_completed_items_are_counted_apart(
    batches: BatchRuns, walker: Walker, target: Target
) -> None:
    failing = await batches.begin(http_fan(f"{target.url}/status/404", 1), NOTHING * 4)
    working = await batches.begin(http_fan(f"{target.url}/echo", 1), NOTHING * 3)

    assert (await batches.end(failing)).counts == BatchCounts(failed=4)
    assert (await batches.end(working)).counts == BatchCounts(completed=3)
    assert await batches.counters() == {"queued": 0, "active": 0}


async def test_no_more_items_run_at_once_than_the_batch_says(
    batches: BatchRuns, walker: Walker, target: Target
) -> None:
    graph = http_fan(f"{target.url}/slow/0.05", 1)
    batch_id = await batches.begin(graph, NOTHING * 12, concurrency=3)

    most = await most_active(batches, batch_id)

    assert most == 3
    assert (await batches.end(batch_id)).counts == BatchCounts(completed=12)


@pytest.mark.parametrize("account_tier", [Tier.FREE])
async def test_items_take_half_of_the_accounts_executions(
    batches: BatchRuns, walker: Walker, target: Target, store: Store, account: Account
) -> None:
    limit = store.tiers.terms(account.tier, account.role).executions_at_once
    graph = http_fan(f"{target.url}/slow/0.05", 1)
    slug = await batches.runner.save(graph)
    first = await batches.begin(slug, NOTHING * 4, concurrency=100)
    second = await batches.begin(slug, NOTHING * 4, concurrency=100)

    most = await most_active(batches, first)

    assert limit == 5
    assert most == 2
    assert (await batches.end(second)).counts == BatchCounts(completed=4)


@pytest.mark.parametrize("account_tier", [Tier.FREE])
async def test_items_take_half_of_the_rate_of_runs(
    batches: BatchRuns, walker: Walker, store: Store, account: Account, young_window: None
) -> None:
    limit = store.tiers.terms(account.tier, account.role).runs_per_minute
    batch_id = await batches.begin(greeting(), texts(15))

    async def completed() -> int:
        return (await batches.get(batch_id)).counts.completed

    await eventually(completed, lambda count: count == 10)
    await asyncio.sleep(0.3)
    window = await store.rate_windows.current(account.id, "workflows/run", limit or 0)

    assert limit == 20
    assert (await batches.get(batch_id)).counts == BatchCounts(completed=10, queued=5)
    assert window.calls == 10
    key = batch_keys.open_batches(account.id)
    next_look = float(await store.client.send("ZSCORE", key, batch_id))
    assert next_look == window.ends_at * 1000


@pytest.mark.parametrize("account_tier", [Tier.FREE])
async def test_items_go_on_in_the_next_window_of_the_rate(
    batches: BatchRuns, walker: Walker, store: Store, young_window: None
) -> None:
    batch_id = await batches.begin(greeting(), texts(15))

    async def completed() -> int:
        return (await batches.get(batch_id)).counts.completed

    await eventually(completed, lambda count: count == 10)
    # As if a minute had passed.
    await store.client.send("DEL", keyspace.windows(partition_of(batches.account_id)))
    await batches.bring_forward(batch_id)

    assert (await batches.end(batch_id)).counts == BatchCounts(completed=15)


async def test_a_batch_does_not_wait_for_the_many_of_another_account(
    batches: BatchRuns, settings: Settings, store: Store, target: Target
) -> None:
    graph = http_fan(f"{target.url}/slow/0.1", 1)
    greedy = await store.accounts.create(email="greedy@example.com", tier=Tier.PRO)
    many = BatchRuns(Runner(store, greedy, batches.runner.notifier))
    slug = await many.runner.save(graph)
    for _ in range(300):
        await many.begin(slug, NOTHING)
    batch_id = await batches.begin(http_fan(f"{target.url}/echo", 1), NOTHING * 20)

    async with worker(settings):
        batch = await batches.end(batch_id)
        left = (await many.counters())["queued"]

    assert batch.counts == BatchCounts(completed=20)
    assert left > 100


async def test_the_end_of_a_batch_is_delivered_though_no_worker_saw_it(
    batches: BatchRuns, settings: Settings, store: Store, account: Account, receiver: Receiver
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["webhook:receive"])
    url = f"{receiver.url}/ok"
    await store.webhooks.save(account.id, key.id, url=url, secret="s" * 20)
    batch_id = await batches.begin(greeting(), texts(2), key_id=key.id, webhook_url=url)
    await store.batches.cancel(account.id, batch_id)

    async with worker(settings):
        await batches.end(batch_id)

        async def received() -> int:
            return len(receiver.received)

        await eventually(received)

    [delivery] = receiver.received
    assert json.loads(delivery.body)["event"] == "batch.cancelled"


async def test_a_cancelled_batch_begins_nothing_more_and_its_running_items_end(
    batches: BatchRuns, walker: Walker, target: Target, store: Store
) -> None:
    graph = http_fan(f"{target.url}/slow/30", 1)
    batch_id = await batches.begin(graph, NOTHING * 10, concurrency=4)

    async def slow() -> int:
        return target.slow

    await eventually(slow, lambda count: count == 4)
    status = await store.batches.cancel(batches.account_id, batch_id)
    batch = await batches.end(batch_id)

    assert status is BatchStatus.CANCELLING
    assert (batch.status, batch.counts) == (BatchStatus.CANCELLED, BatchCounts(cancelled=10))
    assert len(await batches.execution_ids()) == 4
    assert await batches.counters() == {"queued": 0, "active": 0}
    assert await store.batches.cancel(batches.account_id, batch_id) is BatchStatus.CANCELLED


async def test_items_that_cannot_be_paid_fail_and_the_batch_goes_on(
    batches: BatchRuns, settings: Settings, tmp_path: Path, store: Store
) -> None:
    tiers = tmp_path / "tiers.toml"
    tiers.write_text("[pro]\nallowance = 30\n")
    batch_id = await batches.begin(charged(), texts(5), concurrency=1)

    async with worker(replace(settings, tiers_file=str(tiers))):
        batch = await batches.end(batch_id)

    assert batch.states == "ccfff"
    assert batch.credits == 2 * PRICE
    errors = await store.batches.item_errors(batches.account_id, batch_id, range(5))
    assert sorted(errors) == [2, 3, 4]
    assert {error["code"] for error in errors.values()} == {"INSUFFICIENT_CREDITS"}
    assert len(await batches.execution_ids()) == 2


async def test_items_of_an_account_that_is_no_longer_approved_fail(
    batches: BatchRuns, settings: Settings, store: Store, account: Account
) -> None:
    batch_id = await batches.begin(greeting(), texts(3))
    await store.accounts.change(account.id, approved=False)

    async with worker(settings):
        batch = await batches.end(batch_id)

    assert batch.states == "fff"
    errors = await store.batches.item_errors(account.id, batch_id, [1])
    assert errors[1]["code"] == "ACCOUNT_NOT_APPROVED"
    assert await batches.execution_ids() == set()
    assert await batches.counters() == {"queued": 0, "active": 0}


async def test_items_of_a_deleted_workflow_fail(
    batches: BatchRuns, settings: Settings, store: Store, account: Account
) -> None:
    slug = await batches.runner.save(greeting())
    batch_id = await batches.begin(slug, texts(3))
    await store.workflows.delete(account.id, slug)

    async with worker(settings):
        batch = await batches.end(batch_id)

    assert batch.states == "fff"
    errors = await store.batches.item_errors(account.id, batch_id, range(3))
    assert {error["code"] for error in errors.values()} == {"WORKFLOW_NOT_FOUND"}


async def test_items_run_the_version_that_the_batch_was_accepted_with(
    batches: BatchRuns, settings: Settings, store: Store, account: Account
) -> None:
    slug = await batches.runner.save(greeting())
    batch_id = await batches.begin(slug, texts(2))
    for number in range(VERSIONS_KEPT + 2):
        body = greeting().body(f"Later {number}")
        await store.workflows.update(account.id, slug, parse_document(body), [])
    await store.versions.make_room(account.id, slug)

    async with worker(settings):
        batch = await batches.end(batch_id)

    assert batch.states == "cc"
    assert (await batches.record(batch_id, 1))["version"] == b"1"


async def test_the_end_of_a_batch_is_delivered_once_to_the_webhook_of_its_key(
    batches: BatchRuns, walker: Walker, store: Store, account: Account, receiver: Receiver
) -> None:
    key, _ = await store.api_keys.create(account, name="k", capabilities=["webhook:receive"])
    url = f"{receiver.url}/ok"
    await store.webhooks.save(account.id, key.id, url=url, secret="s" * 20)
    batch_id = await batches.begin(
        greeting(), texts(3), key_id=key.id, webhook_url=url, tags=("a",)
    )

    await batches.end(batch_id)

    async def received() -> int:
        return len(receiver.received)

    await eventually(received)
    await asyncio.sleep(0.2)
    [delivery] = receiver.received
    body = json.loads(delivery.body)
    assert delivery.headers["webhook-id"] == batch_id
    assert body | {"createdAt": "", "completedAt": ""} == {
        "event": "batch.completed",
        "batchId": batch_id,
        "workflowSlug": "test-workflow",
        "status": "completed",
        "counts": {"queued": 0, "processing": 0, "completed": 3, "failed": 0, "cancelled": 0},
        "creditsCost": 0,
        "tags": ["a"],
        "createdAt": "",
        "completedAt": "",
    }


async def test_the_end_of_a_batch_is_delivered_to_its_own_webhook_which_then_goes(
    batches: BatchRuns, walker: Walker, store: Store, account: Account, receiver: Receiver
) -> None:
    batch_id, url, secret = new_execution_id(), f"{receiver.url}/fails/1", "s" * 20
    owner = batch_owner(batch_id)
    sealed = await store.webhooks.seal(account.id, owner, secret)
    own = RunWebhook(url=url, is_own=True, sealed_secret=sealed)
    await batches.begin(
        greeting(), texts(2), batch_id=batch_id, webhook=own, webhook_url="http://x/"
    )
    webhook = keyspace.webhook(account.id, owner)
    is_kept = await store.client.send("EXISTS", webhook)
    assert is_kept

    await batches.end(batch_id)

    async def is_gone() -> bool:
        return not await store.client.send("EXISTS", webhook)

    await eventually(is_gone)
    assert [each.headers["webhook-id"] for each in receiver.received] == [batch_id] * 2
    assert receiver.taken == {batch_id}
    for delivery in receiver.received:
        at = delivery.headers["webhook-timestamp"]
        signed = f"{batch_id}.{at}.".encode() + delivery.body
        made = base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()
        assert delivery.headers["webhook-signature"] == f"v1,{made}"


async def test_large_items_begin_a_few_at_a_time_and_those_that_are_gone_fail(
    batches: BatchRuns, settings: Settings, store: Store, account: Account
) -> None:
    objects = ObjectStore.from_settings(settings)
    large = Store.open(settings, objects)
    owner = BatchRuns(Runner(large, account, batches.runner.notifier))
    size = MOST_BYTES // 2 + 1
    inputs = [{"who": f"{number}" + "x" * size} for number in range(6)]
    batch_id = await owner.begin(greeting(), inputs)
    some = await large.feeding.items(account.id, batch_id, range(6))
    field = await large.client.send("HGET", batch_keys.batch(account.id, batch_id), "c4")
    name = parse_name(field)
    assert name is not None
    await large.offloaded.remove_one(account.id, batch_id, name)

    async with worker(settings):
        batch = await owner.end(batch_id)
    await large.close()

    assert sorted(some) == [0, 1]
    assert batch.states == "ccccfc"
    errors = await store.batches.item_errors(account.id, batch_id, range(6))
    assert {index: error["code"] for index, error in errors.items()} == {4: "INTERNAL_ERROR"}


async def test_batches_run_a_public_workflow_of_another_account(
    batches: BatchRuns, settings: Settings, store: Store
) -> None:
    owner = await store.accounts.create(email="owner@example.com", tier=Tier.PRO)
    public = greeting().body() | {"publicPlayground": True}
    workflow = await store.workflows.create(owner.id, parse_document(public), [])
    batch_id = await batches.begin(workflow.slug, texts(2), owner_id=owner.id)
    later = greeting(2).body() | {"publicPlayground": True}
    await store.workflows.update(owner.id, workflow.slug, parse_document(later), [])

    async with worker(settings):
        batch = await batches.end(batch_id)
    hidden = await batches.begin(workflow.slug, texts(2), owner_id=owner.id, version=2)
    await store.workflows.update(owner.id, workflow.slug, parse_document(greeting().body()), [])

    assert batch.states == "cc"
    record = await batches.record(batch_id, 0)
    assert (record["version"], record["owner"]) == (b"1", owner.id.encode())
    async with worker(settings):
        assert (await batches.end(hidden)).states == "ff"


async def test_a_batch_waits_for_room_that_another_one_leaves(
    batches: BatchRuns, walker: Walker, target: Target
) -> None:
    slug = await batches.runner.save(http_fan(f"{target.url}/echo", 1))
    ids = [await batches.begin(slug, NOTHING * 3) for _ in range(12)]

    for batch_id in ids:
        assert (await batches.end(batch_id)).counts == BatchCounts(completed=3)
    assert await batches.counters() == {"queued": 0, "active": 0}
