"""List of an account's assets, and the effect of a delete on it and on the quota."""

import random
from dataclasses import dataclass

import pytest

from engine.errors import AssetNotFound, InvalidCursor
from engine.ids.partitions import partition_of
from engine.media.formats import Facts
from engine.store import Account, Asset, Store
from engine.store.media import READING_MS, AssetPage, AssetReview, AssetSource
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.records import accept, save
from tests.support.store.redis_contents import contents

FACTS = Facts(content_type="image/png", width=40, height=30)


async def keep(store: Store, account: Account, size: int = 5, made_at: int = 0) -> Asset:
    place = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    if made_at:
        key = keyspace.asset(partition_of(account.id), place.asset_id)
        await store.client.send("HSET", key, "created", made_at)
    return await store.assets.complete(place.asset_id, FACTS, size)


async def due_now(store: Store, asset_id: str) -> AssetReview:
    """Return the outcome of an immediate review."""
    due = keyspace.assets_due(partition_of(asset_id))
    await store.client.send("ZADD", due, "XX", 1, asset_id)
    return await store.assets.review(asset_id)


async def all_ids(store: Store, account: Account) -> list[str]:
    page = await store.assets.page(account.id, limit=1_000)
    return [asset.id for asset in page.assets]


async def test_a_page_goes_on_behind_the_last_one_whatever_came_and_went(
    store: Store, account: Account
) -> None:
    made = [await keep(store, account, made_at=10**12 + number // 2) for number in range(5)]
    first = await store.assets.page(account.id, limit=2)
    for asset in first.assets:
        await store.assets.delete(account.id, asset.id)
    newer = await keep(store, account)

    second = await store.assets.page(account.id, limit=2, cursor=first.next_cursor)
    third = await store.assets.page(account.id, limit=2, cursor=second.next_cursor)

    seen = [asset.id for page in (first, second, third) for asset in page.assets]
    assert sorted(seen) == sorted(asset.id for asset in made)
    assert newer.id not in seen
    assert third.next_cursor is None


async def test_assets_of_one_millisecond_are_each_seen_once(store: Store, account: Account) -> None:
    ids = [(await keep(store, account, made_at=10**12)).id for _ in range(7)]
    seen, cursor = [], None

    for _ in range(4):
        page = await store.assets.page(account.id, limit=2, cursor=cursor)
        seen += [asset.id for asset in page.assets]
        cursor = page.next_cursor

    assert seen == sorted(ids, reverse=True)
    assert cursor is None


async def test_the_last_page_that_is_full_has_none_behind_it(
    store: Store, account: Account
) -> None:
    asset = await keep(store, account, 9)

    page = await store.assets.page(account.id, limit=1)

    assert page == AssetPage(assets=[asset], next_cursor=None, stored=9)


@pytest.mark.parametrize(
    "bad", ["", "x", f"1.{'a' * 24}", f"{10**12}.{'a' * 23}", f"{10**12}.{'a' * 24}\n", "x" * 9_999]
)
async def test_an_invalid_cursor_is_refused(store: Store, account: Account, bad: str) -> None:
    with pytest.raises(InvalidCursor):
        await store.assets.page(account.id, limit=1, cursor=bad)


async def test_a_hidden_asset_is_not_listed(store: Store, account: Account) -> None:
    await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    asset = await keep(store, account)
    assert await all_ids(store, account) == [asset.id]

    assert await due_now(store, asset.id) is AssetReview.HIDDEN

    assert await all_ids(store, account) == []


async def test_a_deleted_assets_bytes_are_free_at_once_and_subtracted_once(
    store: Store, account: Account
) -> None:
    asset, other = await keep(store, account, 40), await keep(store, account, 30)

    await store.assets.delete(account.id, asset.id)
    after = await store.assets.stored(account.id)
    with pytest.raises(AssetNotFound):
        await store.assets.delete(account.id, asset.id)
    assert await due_now(store, asset.id) is AssetReview.RIPE
    await store.assets.forget(asset.id)

    assert (after, await store.assets.stored(account.id)) == (30, 30)
    assert await all_ids(store, account) == [other.id]


async def test_the_rest_of_an_asset_is_removed_after_its_readers_have_ended(
    store: Store, account: Account
) -> None:
    asset = await keep(store, account)

    await store.assets.delete(account.id, asset.id)

    now = await store.leases.now()
    assert await store.assets.due(now + READING_MS - 5_000, 10) == []
    assert await store.assets.due(now + READING_MS, 10) == [asset.id]
    assert await due_now(store, asset.id) is AssetReview.RIPE
    await store.assets.forget(asset.id)
    assert not [key for key in await contents(store.client) if b"asset" in key or b"media" in key]


async def test_an_owner_can_delete_an_asset_in_use(store: Store, account: Account) -> None:
    workflow, plan = await save(store, account)
    execution = await accept(store, account, workflow, plan)
    asset = await keep(store, account)
    await store.assets.retain_for_workflow(account.id, asset.id, workflow.slug)
    await store.assets.retain(account.id, asset.id, execution.id)

    await store.assets.delete(account.id, asset.id)

    with pytest.raises(AssetNotFound):
        await store.assets.find(asset.id)
    with pytest.raises(AssetNotFound):
        await store.assets.retain(account.id, asset.id, "another")
    assert await due_now(store, asset.id) is AssetReview.RIPE


async def test_nobody_else_deletes_it(store: Store, account: Account) -> None:
    asset = await keep(store, account)
    before = await contents(store.client)

    for account_id, asset_id in (("another", asset.id), (account.id, "0" * 24), (account.id, "x")):
        with pytest.raises(AssetNotFound):
            await store.assets.delete(account_id, asset_id)

    assert await contents(store.client) == before


async def test_bytes_that_come_when_it_was_given_up_are_neither_listed_nor_deleted(
    store: Store, account: Account
) -> None:
    asset_id = (await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)).asset_id

    with pytest.raises(AssetNotFound):
        await store.assets.delete(account.id, asset_id)

    kept = await store.assets.complete(asset_id, FACTS, 5)
    assert await all_ids(store, account) == [kept.id]


@dataclass
class Model:
    """Expected assets."""

    seen: dict[str, int]
    hidden: dict[str, int]


async def step(store: Store, account: Account, model: Model, dice: random.Random) -> None:
    """Apply one event to the assets."""
    asset_id = dice.choice([*model.seen, *model.hidden, "0" * 24])
    match dice.choice(["keep", "delete", "review", "forget"]):
        case "keep":
            asset = await keep(store, account, dice.randrange(1, 9))
            model.seen[asset.id] = asset.bytes
        case "delete" if asset_id in model.seen:
            await store.assets.delete(account.id, asset_id)
            del model.seen[asset_id]
            model.hidden[asset_id] = 0
        case "review" if await due_now(store, asset_id) is AssetReview.HIDDEN:
            model.hidden[asset_id] = model.seen.pop(asset_id)
        case "forget":
            await store.assets.forget(asset_id)
            model.hidden.pop(asset_id, None)


async def test_list_and_count_are_right_after_whatever_happened(
    store: Store, account: Account
) -> None:
    dice, model = random.Random(11), Model(seen={}, hidden={})

    for _ in range(300):
        await step(store, account, model, dice)

        assert set(await all_ids(store, account)) == set(model.seen)
        counted = sum(model.seen.values()) + sum(model.hidden.values())
        assert await store.assets.stored(account.id) == counted


async def test_an_asset_is_listed_by_the_script_that_lets_it_be_seen(store: Store) -> None:
    asset_id = "a" * 24
    await store.client.send("HSET", "asset", "state", "pending", "account", "acc", "created", 7)

    await store.client.call(
        SCRIPTS["complete_asset"],
        asset="asset",
        assets_due="due",
        asset_references="references",
        account_assets="listed",
        accounts="accounts",
        media_bytes="stored",
        now=9,
        asset_id=asset_id,
        keep_ms=60_000,
        bytes=5,
    )

    names = await store.client.send("ZRANGE", "listed", 0, -1, "WITHSCORES")
    assert [(bytes(name), float(score)) for name, score in names] == [
        (f"acc|0000000000007.{asset_id}".encode(), 0.0)
    ]
