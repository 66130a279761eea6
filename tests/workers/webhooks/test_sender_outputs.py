"""Webhooks whose execution has a result too large for its record."""

from dataclasses import replace

import pytest

from engine.errors import StorageFailed
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.advance import Step
from engine.store.executions.offload import PAUSES_SECONDS, make_name
from engine.store.executions.record_fields import pack_name
from engine.store.redis.record_packing import pack
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.factories import greeting
from tests.support.http.webhook_receivers import Receiver
from tests.support.media.faulty_blob_stores import shorten_pauses
from tests.support.media.object_files import outputs_of
from tests.support.workers.webhook_owner import Owner
from workers.main import worker

RESULT = {"text": "x" * 300_000}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, cpu_slots=1, webhook_time_scale=0.004)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pauses(monkeypatch)


async def ended(owner: Owner, store: Store, key_id: str) -> str:
    """Return an execution that has ended with a large result, before a worker could deliver it."""
    execution_id = await owner.begin(await owner.runner.save(greeting()), key_id)
    claimed = await store.walks.claim(f"{owner.account.id}/{execution_id}", "w")
    assert claimed is not None
    data = pack(RESULT)
    name = make_name(claimed.lease.object_prefix, 0, len(data))
    await store.offloaded.put(owner.account.id, execution_id, name, data)
    step = Step(
        settled=[(index, NodeStatus.COMPLETED) for index in range(len(claimed.statuses))],
        end=ExecutionStatus.COMPLETED,
        result=pack_name(name),
        names_objects=True,
        webhook=claimed.webhook,
    )
    await store.walks.advance(claimed.lease, 1, step)
    return execution_id


async def test_a_large_result_is_delivered_though_it_could_not_be_read_at_first(
    owner: Owner,
    receiver: Receiver,
    store: Store,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key_id = await owner.hook("/ok")
    execution_id = await ended(owner, store, key_id)
    read, left = ObjectStore.read, [None] * (len(PAUSES_SECONDS) + 1)

    async def fails_at_first(self: ObjectStore, key: str, max_bytes: int | None = None) -> bytes:
        if left:
            left.pop()
            raise StorageFailed
        return await read(self, key, max_bytes)

    monkeypatch.setattr(ObjectStore, "read", fails_at_first)

    async with worker(settings):
        delivery = await owner.settled(key_id, execution_id, attempts=2)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert [each.status for each in delivery.attempts] == [None, 200]
    assert "could not be read" in (delivery.attempts[0].error or "")
    assert [request.event["result"] for request in receiver.received] == [RESULT]


async def test_a_delivery_whose_result_is_gone_fails_with_the_reason(
    owner: Owner, receiver: Receiver, store: Store, settings: Settings
) -> None:
    key_id = await owner.hook("/ok")
    execution_id = await ended(owner, store, key_id)
    outputs_of(settings, owner.account.id, execution_id)[0].unlink()

    async with worker(settings):
        delivery = await owner.settled(key_id, execution_id)

    assert delivery.status is DeliveryStatus.FAILED
    assert [each.error for each in delivery.attempts] == [
        "The result of this execution is not there any more"
    ]
    assert receiver.received == []
