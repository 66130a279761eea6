"""Aliases on a cluster of three primaries: each script has its keys in one slot."""

from collections.abc import AsyncIterator

import pytest

from engine.access.capabilities import Tier
from engine.releases.aliases import LIVE, Canary
from engine.settings import Settings
from engine.store import Store
from engine.store.workflows.saves import WorkflowSave
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.installation import SECRET_KEY
from tests.support.store.records import document


@pytest.fixture
async def store(primaries: RedisCluster) -> AsyncIterator[Store]:
    store = Store.open(Settings(redis_url=primaries.address(), secret_key=SECRET_KEY))
    yield store
    await store.close()


async def test_the_life_of_aliases_fits_into_slots(store: Store) -> None:
    for number in range(6):
        account = await store.accounts.create(email=f"a{number}@example.com", tier=Tier.PRO)
        workflow = await store.workflows.create(account.id, document(), [])
        ids = account.id, workflow.slug
        await store.aliases.set(*ids, "stable", 1, None)
        draft = await store.drafts.write(*ids, document(text="new"), [])
        rule = Canary(id="one", version=0, percent=5)
        canary = await store.workflows.publish(draft, None, 1, rule)
        save = WorkflowSave(
            account_id=account.id,
            slug=workflow.slug,
            document=canary.document,
            problems=(),
            expected="",
            operation="promotion",
        )
        found = canary.aliases.by_name[LIVE].canary
        assert found is not None

        promotion = await store.aliases.promote(*ids, LIVE, found, save)
        await store.aliases.delete(*ids, "stable")

        assert promotion.aliases.by_name["stable"].version == 1
        assert (await store.workflows.get(workflow.slug)).version == 2
        assert len(await store.aliases.history(*ids, LIVE)) == 2
        await store.workflows.delete(*ids)
