"""Triggers on a cluster of three primaries: each script has its keys in one slot."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.ids.triggers import new_occurrence_id
from engine.settings import Settings
from engine.store import Accepted, NewRecord, Store
from engine.store.accounts.erasure import AccountKeys
from engine.store.partitioned.due_lists import DueLists
from engine.store.redis.info import read_now
from engine.store.triggers import keys
from engine.triggers.occurrences import FailReason, OccurrenceStatus
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.records import save
from tests.support.triggers.occurrences import occurrence
from tests.support.triggers.records import HOOK, save_hook, save_schedule
from tests.support.triggers.starts import Starts


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


async def test_the_life_of_triggers_fits_into_slots(store: Store) -> None:
    accounts = [
        await store.accounts.create(email=f"{number}@example.com", tier=Tier.PRO)
        for number in range(6)
    ]
    now, found = (
        await read_now(store.client),
        DueLists(store.client, keys.open_schedules, keys.schedules_due, 100),
    )
    for account in accounts:
        key, _ = await store.api_keys.create(account, name="k", capabilities=["workflow:run"])
        starts = Starts(store, account, await save(store, account))
        schedule = await save_schedule(store, account, key_id=key.id, next_at=now - 5)
        hook = await save_hook(store, account)
        assert (await found.due_accounts(now)).names == [account.id]
        assert await found.due_lists(account.id, now) == [schedule.id]
        assert await store.occurrences.hold(schedule, now - 5, look_at=now)
        assert isinstance(await starts.start_due(schedule, now + 60_000), Accepted)
        schedule = await store.triggers.get(account.id, schedule.id)
        missed = occurrence(now, trigger_id=schedule.id, status=OccurrenceStatus.MISSED)
        at = schedule.next_at or 0
        assert await store.occurrences.record_due(schedule, [missed], at=at, next_at=None)
        assert isinstance(await starts.start_event(hook, "digest"), Accepted)
        failed = occurrence(
            now,
            id=new_occurrence_id(),
            trigger_id=hook.id,
            status=OccurrenceStatus.FAILED,
            reason=FailReason.INVALID_INPUTS,
        )
        record = NewRecord(failed, b"event")
        assert await store.occurrences.record_event(account.id, record, starts.terms) is None
        hook = await store.triggers.rotate(hook)
        met = await store.hooks.find(hook.token or "")
        assert met is not None and met.window is not None and met.window.calls == 4
        page = await store.occurrences.list(account.id, schedule.id, None, 10)
        assert len(page.occurrences) == 2
        await store.triggers.replace(hook, HOOK, enabled=False, since=0, next_at=None)
        await store.api_keys.revoke(key.id)
        assert not (await store.triggers.get(account.id, schedule.id)).enabled
        await store.triggers.delete(hook)
        assert (await found.due_accounts(now)).names in ([], [account.id])
        await AccountKeys(store.client, store.audit, store.workflows).erase_triggers(account.id)
        assert await store.triggers.list(account.id) == []
