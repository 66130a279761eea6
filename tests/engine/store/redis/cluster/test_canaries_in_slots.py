"""Canaries on a cluster of three primaries: counts, looks and roll backs stay in one slot each."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.services.releases.roll_backs import look_at_canaries
from engine.settings import Settings
from engine.store import Store
from engine.store.redis.info import read_now
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.releases.canaries import WatchedWorkflow
from tests.support.releases.ended_releases import BESIDE, OWN


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


async def test_the_life_of_a_canary_fits_into_slots(store: Store) -> None:
    for number in range(6):
        account = await store.accounts.create(email=f"a{number}@example.com", tier=Tier.PRO)
        watched = await WatchedWorkflow.of(store, account)
        key_id = await watched.webhook("canary.rolled_back")
        await watched.releases.complete(BESIDE)
        assert await watched.releases.ending.finish(await watched.releases.accept(OWN)) is not None
        for _ in range(3):
            await watched.releases.fail()

        now = await read_now(store.client) + 1_000
        due = await store.canaries.due.due_accounts(now)
        assert account.id in due.names
        for slug in await store.canaries.take(account.id, now):
            await look_at_canaries(store, account.id, slug, now)
        await store.canaries.due.schedule_account(account.id, now)

        assert await watched.canary() is None
        assert len(await watched.delivered(key_id)) == 1
        counts = await store.canaries.counts(account.id, watched.slug, "one")
        assert (counts.canary.runs, counts.canary.failed, counts.live.runs) == (4, 3, 1)
