"""Values that an execution begins with: copies, large values and held media."""

import asyncio

import pytest

from engine.errors import InvalidBody
from engine.media.formats import Facts
from engine.process.byte_semaphore import ByteSemaphore
from engine.services.media import MediaService
from engine.services.runs.run_inputs import AssetUse
from engine.services.runs.seed_values import RECORD_BYTES, SeedValues
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.offload import make_name, make_part, object_of, part_of, size_of
from engine.store.media import AssetSource
from engine.store.redis.record_packing import pack, unpack

OLD, NEW = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
LARGE = pack({"text-out": "x" * 300_000})


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


@pytest.fixture
def seeds(store: Store, media_service: MediaService, account: Account) -> SeedValues:
    gone = InvalidBody("gone", field="from")
    return SeedValues(store, AssetUse(media_service, account.id, NEW), gone)


async def stored(seeds: SeedValues) -> None:
    assert seeds.store_objects is not None
    await seeds.store_objects()


async def test_small_values_go_on_record(seeds: SeedValues) -> None:
    assert seeds.add_value(b"packed") == b"packed"
    assert seeds.store_objects is None


async def test_a_large_value_is_an_object(
    store: Store, account: Account, seeds: SeedValues
) -> None:
    name = seeds.add_value(LARGE)
    await stored(seeds)

    assert isinstance(name, str)
    assert size_of(name) == len(LARGE)
    assert await store.offloaded.read(account.id, NEW, name) == LARGE


async def test_no_more_than_a_megabyte_goes_on_record(seeds: SeedValues) -> None:
    piece = pack("x" * 200_000)
    count = RECORD_BYTES // len(piece)

    assert all(isinstance(seeds.add_value(piece), bytes) for _ in range(count))
    assert isinstance(seeds.add_value(piece), str)
    assert seeds.add_value(b"small") == b"small"


async def test_objects_of_other_executions_are_copied_once(
    store: Store, account: Account, seeds: SeedValues
) -> None:
    """Two outputs are parts of one object."""
    parts = [pack({"text-out": "one"}), pack({"text-out": "two"})]
    name = make_name("1-token", 0, len(b"".join(parts)))
    await store.offloaded.put(account.id, OLD, name, b"".join(parts))
    names = [make_part(name, 0, len(parts[0])), make_part(name, len(parts[0]), len(parts[1]))]

    copies = [seeds.add_copy(OLD, each) for each in names]
    await stored(seeds)
    await store.offloaded.remove(account.id, OLD)

    assert len({object_of(each) for each in copies}) == 1
    data = await store.offloaded.read(account.id, NEW, object_of(copies[0]))
    assert [unpack(part_of(each, data)) for each in copies] == [
        {"text-out": "one"},
        {"text-out": "two"},
    ]


async def test_many_copies_at_once_wait_for_memory(
    store: Store, account: Account, media_service: MediaService, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_name("1-token", 0, len(LARGE))
    await store.offloaded.put(account.id, OLD, name, LARGE)
    monkeypatch.setattr(store.offloaded, "_copied", ByteSemaphore(len(LARGE)))
    under_way = most = 0
    read = store.offloaded.read

    async def read_slowly(*ids: str) -> bytes:
        nonlocal under_way, most
        under_way, most = under_way + 1, max(most, under_way + 1)
        await asyncio.sleep(0.01)
        under_way -= 1
        return await read(*ids)

    monkeypatch.setattr(store.offloaded, "read", read_slowly)
    gone = InvalidBody("gone", field="from")
    news = [f"00000000-0000-4000-8000-00000000001{number}" for number in range(3)]
    uses = [AssetUse(media_service, account.id, each) for each in news]
    waiting = [SeedValues(store, use, gone) for use in uses]
    for each in waiting:
        each.add_copy(OLD, name, is_value=False)

    await asyncio.gather(*map(stored, waiting))

    assert most == 1


async def test_an_object_that_is_gone_is_refused(
    store: Store, account: Account, seeds: SeedValues
) -> None:
    await store.offloaded.put(account.id, OLD, "1-token.1.1", b"x")
    seeds.add_copy(OLD, make_name("1-token", 0, 400_000))

    with pytest.raises(InvalidBody):
        await stored(seeds)


async def test_copies_outlive_a_sweep_before_their_execution_is_on_record(
    store: Store, account: Account, seeds: SeedValues
) -> None:
    name = seeds.add_value(LARGE)
    await stored(seeds)

    assert await store.offloaded.sweep() == 0
    assert await store.offloaded.read(account.id, NEW, str(name)) == LARGE


@pytest.mark.parametrize("is_large", [False, True])
async def test_media_of_outputs_are_held_as_long_as_the_execution(
    store: Store,
    account: Account,
    media_service: MediaService,
    seeds: SeedValues,
    is_large: bool,
) -> None:
    reservation = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    facts = Facts(content_type="image/png", width=1, height=1)
    asset = await store.assets.complete(reservation.asset_id, facts, 10)
    more = "x" * 300_000 if is_large else ""
    packed = pack({"image-out": [media_service.lasting_link(asset)], "more": more})
    name = make_name("1-token", 0, len(packed))
    await store.offloaded.put(account.id, OLD, name, packed)

    seeds.add_output(OLD, name if is_large else packed)
    await seeds.hold_media()
    if is_large:
        await stored(seeds)

    assert await store.assets.needed_by(asset.id) == (account.id, [NEW])


async def test_media_that_are_gone_are_not_held(
    media_service: MediaService, store: Store, account: Account, seeds: SeedValues
) -> None:
    reservation = await store.assets.reserve_upload(account.id, AssetSource.UPLOAD)
    facts = Facts(content_type="image/png", width=1, height=1)
    asset = await store.assets.complete(reservation.asset_id, facts, 10)
    link = media_service.lasting_link(asset)
    await store.assets.delete(account.id, asset.id)

    seeds.add_media({"image-out": link})
    await seeds.hold_media()

    assert await store.assets.needed_by(asset.id) == (account.id, [])
