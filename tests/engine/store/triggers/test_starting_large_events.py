"""Large events: objects of the executions that they start, and gone after a refusal."""

import asyncio
from dataclasses import replace

import pytest

from engine.errors import StorageFailed, TooManyExecutions
from engine.settings import Settings
from engine.store import Accepted, Account, HookEvent, OccurrenceRefused, Store
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.redis import keyspace
from engine.triggers.trigger import Trigger
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses, use
from tests.support.media.object_files import all_outputs, outputs_of
from tests.support.triggers.records import save_hook
from tests.support.triggers.starts import Starts

LARGE = HookEvent(body="x" * 300_000, headers={"x-id": "1"})
INPUTS = {"who": "y" * 300_000}


@pytest.fixture(autouse=True)
def blob_store(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Faulty:
    shorten_pauses(monkeypatch)
    return use(store, Faulty(settings.media_url))


@pytest.fixture
async def hook(store: Store, account: Account) -> Trigger:
    return await save_hook(store, account)


@pytest.mark.parametrize("inputs", [{}, INPUTS])
async def test_a_large_event_is_an_object_of_its_execution(
    store: Store,
    account: Account,
    starts: Starts,
    hook: Trigger,
    settings: Settings,
    inputs: dict[str, str],
) -> None:
    started = await starts.start_event(hook, "digest", LARGE.pack(), inputs=inputs)

    assert isinstance(started, Accepted)
    record = keyspace.execution(account.id, started.id)
    assert len(await store.client.send("HGET", record, "event")) < 100
    assert await store.client.send("HGET", record, "has_objects") == b"1"
    files = outputs_of(settings, account.id, started.id)
    assert len(files) == 1 + len(inputs)
    last = (await store.triggers.get(account.id, hook.id)).last
    assert last is not None
    assert await store.occurrences.event(account.id, last) == LARGE

    await store.executions.cancel(account.id, started.id)
    pruned = await store.leases.prune(await store.leases.now() + 1)
    assert list(pruned.with_objects) == [keyspace.reference(account.id, started.id)]
    await store.offloaded.remove(account.id, started.id)
    assert await store.occurrences.event(account.id, last) is None


@pytest.mark.parametrize("more", [0, 1])
async def test_an_event_of_up_to_256_kib_is_on_record(
    store: Store, account: Account, starts: Starts, hook: Trigger, settings: Settings, more: int
) -> None:
    event = b"e" * (OFFLOAD_FROM_BYTES + more)

    started = await starts.start_event(hook, "digest", event)

    assert isinstance(started, Accepted)
    assert len(outputs_of(settings, account.id, started.id)) == more


async def test_a_refused_event_leaves_no_object(
    starts: Starts, hook: Trigger, settings: Settings, store: Store
) -> None:
    terms = starts.terms
    starts.terms = replace(terms, executions_at_once=0)
    with pytest.raises(TooManyExecutions):
        await starts.start_event(hook, "digest", LARGE.pack(), inputs=INPUTS)
    starts.terms = replace(terms, runs_per_minute=0)
    refused = await starts.start_event(hook, "digest", LARGE.pack(), inputs=INPUTS)

    assert isinstance(refused, OccurrenceRefused) and refused.reason == "rate_limited"
    assert all_outputs(settings) == []


async def test_twenty_large_events_of_one_id_leave_the_objects_of_one(
    store: Store, account: Account, starts: Starts, hook: Trigger, settings: Settings
) -> None:
    acts = [starts.start_event(hook, "digest", LARGE.pack(), inputs=INPUTS) for _ in range(20)]

    verdicts = await asyncio.gather(*acts)

    [started] = [each for each in verdicts if isinstance(each, Accepted)]
    assert sorted(all_outputs(settings)) == sorted(outputs_of(settings, account.id, started.id))
    assert len(all_outputs(settings)) == 2


async def test_an_event_that_cannot_be_stored_starts_nothing(
    starts: Starts, hook: Trigger, blob_store: Faulty
) -> None:
    blob_store.left = 100

    with pytest.raises(StorageFailed):
        await starts.start_event(hook, "digest", LARGE.pack())
    assert await starts.executions() == 0
    blob_store.left = 0
    assert isinstance(await starts.start_event(hook, "digest", LARGE.pack()), Accepted)
