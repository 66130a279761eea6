"""Usage of an account's media is counted with their records."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.errors import EngineError, MediaQuotaExceeded
from engine.ids.partitions import partition_of
from engine.media.formats import Facts
from engine.settings import Settings
from engine.store import Account, Asset, Store
from engine.store.media import AssetReview, AssetSource
from engine.store.redis import keyspace
from tests.support.store.redis_contents import contents

FACTS = Facts(content_type="image/png", width=40, height=30)
LIMIT = 100


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\nmedia_bytes = {LIMIT}\n")
    return replace(settings, tiers_file=str(path))


async def keep(store: Store, account: Account, size: int) -> Asset:
    place = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    return await store.assets.complete(place.asset_id, FACTS, size)


async def let_go(store: Store, asset_id: str) -> list[AssetReview]:
    """Let the asset expire and remove its bytes."""
    due = keyspace.assets_due(partition_of(asset_id))
    reviews = []
    for _ in range(2):
        await store.client.send("ZADD", due, "XX", 1, asset_id)
        reviews.append(await store.assets.review(asset_id))
    await store.assets.forget(asset_id)
    return reviews


async def test_an_asset_is_counted_until_its_bytes_are_removed(
    store: Store, account: Account
) -> None:
    first, second = [await keep(store, account, size) for size in (40, 30)]
    before = await store.assets.stored(account.id)

    assert await let_go(store, first.id) == [AssetReview.HIDDEN, AssetReview.RIPE]
    await store.assets.forget(first.id)
    after = await store.assets.stored(account.id)
    await let_go(store, second.id)

    assert (before, after, await store.assets.stored(account.id)) == (70, 30, 0)
    assert not [key for key in await contents(store.client) if b"media" in key]


async def test_a_deleted_asset_is_subtracted_at_once_and_only_once(
    store: Store, account: Account
) -> None:
    deleted, _ = [await keep(store, account, size) for size in (40, 30)]

    await store.assets.delete(account.id, deleted.id)
    immediately = await store.assets.stored(account.id)
    assert await let_go(store, deleted.id) == [AssetReview.RIPE, AssetReview.RIPE]

    assert (immediately, await store.assets.stored(account.id)) == (30, 30)


async def test_a_file_fits_to_the_byte(store: Store, account: Account) -> None:
    await keep(store, account, LIMIT - 10)

    with pytest.raises(MediaQuotaExceeded, match="take 90 bytes of the 100") as refused:
        await keep(store, account, 11)
    await keep(store, account, 10)

    assert refused.value.context == {"limit": LIMIT}
    assert await store.assets.stored(account.id) == LIMIT


async def test_where_nothing_fits_nothing_is_begun(store: Store, account: Account) -> None:
    await keep(store, account, LIMIT)
    before = await contents(store.client)

    with pytest.raises(MediaQuotaExceeded):
        await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)

    assert await contents(store.client) == before


async def test_of_many_at_once_those_are_kept_that_fit(store: Store, account: Account) -> None:
    kept = await asyncio.gather(
        *(keep(store, account, 9) for _ in range(50)), return_exceptions=True
    )

    assert len([each for each in kept if isinstance(each, Asset)]) == LIMIT // 9
    assert await store.assets.stored(account.id) == LIMIT // 9 * 9
    assert {type(each) for each in kept} == {Asset, MediaQuotaExceeded}


async def test_bytes_that_were_not_stored_are_not_subtracted(
    store: Store, account: Account
) -> None:
    await keep(store, account, 60)
    late = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    with pytest.raises(MediaQuotaExceeded):
        await store.assets.complete(late.asset_id, FACTS, 50)

    await let_go(store, late.asset_id)

    assert await store.assets.stored(account.id) == 60


@pytest.mark.parametrize(("tier", "role"), [(Tier.ENTERPRISE, Role.USER), (Tier.PRO, Role.ADMIN)])
async def test_an_account_without_a_limit_is_counted_too(
    store: Store, tier: Tier, role: Role
) -> None:
    account = await store.accounts.create(email="x@example.com", tier=tier, role=role)

    place = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    await keep(store, account, 10 * LIMIT)

    assert (place.limit, place.remaining_bytes) == (None, float("inf"))
    assert await store.assets.stored(account.id) == 10 * LIMIT


async def test_a_tier_that_sinks_takes_nothing_away(store: Store) -> None:
    account = await store.accounts.create(email="x@example.com", tier=Tier.ENTERPRISE)
    asset = await keep(store, account, 2 * LIMIT)

    await store.accounts.set_tier(account.id, Tier.PRO)

    assert await store.assets.get(account.id, asset.id) == asset
    with pytest.raises(EngineError, match="no room"):
        await keep(store, account, 1)
