"""Large values of executions: written, read and removed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.errors import ResultGone, ResultUnreadable, StorageFailed
from engine.executions.statuses import ExecutionStatus
from engine.media.objects import ObjectStore
from engine.settings import Settings
from engine.store import Account, ExecutionFilter, Store
from engine.store.executions import offload
from engine.store.executions.advance import Step
from engine.store.executions.offload import (
    OffloadedValues,
    make_name,
    make_part,
    object_of,
    part_of,
    size_of,
)
from engine.store.executions.read import list as listing
from engine.store.executions.record_fields import pack_name
from engine.store.redis.record_packing import pack
from tests.support.media.faulty_blob_stores import Faulty, shorten_pauses
from tests.support.media.object_files import outputs_of
from tests.support.store.records import BOTH_DONE, accept, save

EXECUTION = "00000000-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pauses(monkeypatch)


def over(
    store: Store, settings: Settings, failures: int = 0, *, hangs: bool = False
) -> OffloadedValues:
    """Return values in the settings' folder with these faults."""
    return OffloadedValues(store.client, Faulty(settings.media_url, failures, hangs=hangs))


async def ended(store: Store, account: Account, value: object, index: int = 1) -> str:
    """Complete an execution with an offloaded result; return its id."""
    accepted = await accept(store, account, *await save(store, account))
    claimed = await store.walks.claim(f"{account.id}/{accepted.id}", "w1")
    assert claimed is not None
    data = pack(value)
    name = make_name(claimed.lease.object_prefix, index, len(data))
    await store.offloaded.put(account.id, accepted.id, name, data)
    step = Step(
        settled=BOTH_DONE,
        end=ExecutionStatus.COMPLETED,
        result=pack_name(name),
        names_objects=True,
    )
    await store.walks.advance(claimed.lease, 1, step)
    return accepted.id


@pytest.fixture
async def sized(store: Store, account: Account) -> AsyncIterator[list[str]]:
    """Complete five executions with results of 100 kilobytes."""
    yield [await ended(store, account, f"{number}" * 100_000) for number in range(5)]


def test_a_name_says_how_large_a_value_is() -> None:
    assert make_name("3-t", 7, 300_000) == "3-t.7.300000"
    assert [size_of(name) for name in ("3.7.300000", "", "True", "3.7.")] == [300_000, 0, 0, 0]


def test_a_part_of_an_object_has_a_name_too() -> None:
    name = make_part("3.7.9", 2, 4)

    assert (size_of(name), object_of(name)) == (4, "3.7.9")
    assert part_of(name, b"012345678") == b"2345"
    assert part_of("3.7.9", b"012345678") == b"012345678"


async def test_two_claims_do_not_write_over_each_others_values(store: Store) -> None:
    names = [make_name(claim, 0, 1) for claim in ("1-t", "1-u")]

    for name, data in zip(names, (b"a", b"b"), strict=True):
        await store.offloaded.put("acc", EXECUTION, name, data)

    assert [await store.offloaded.read("acc", EXECUTION, name) for name in names] == [b"a", b"b"]


async def test_a_store_that_fails_for_a_moment_is_asked_again(
    store: Store, settings: Settings
) -> None:
    offloaded = over(store, settings, failures=2)

    await offloaded.put("acc", EXECUTION, "1.0.1", b"x")

    assert await store.offloaded.read("acc", EXECUTION, "1.0.1") == b"x"


async def test_a_store_that_goes_on_failing_is_given_up_within_its_time(
    store: Store, settings: Settings
) -> None:
    with pytest.raises(StorageFailed):
        await over(store, settings, failures=99).put("acc", EXECUTION, "1.0.1", b"x")
    with pytest.raises(StorageFailed):
        await over(store, settings, hangs=True).read("acc", EXECUTION, "1.0.1", seconds=0.05)


@pytest.mark.parametrize("error", [None, StorageFailed(), asyncio.CancelledError()])
async def test_memory_for_a_copy_is_free_again_however_the_copy_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: BaseException | None
) -> None:
    monkeypatch.setattr(offload, "PATIENCE_SECONDS", 0.05)

    for _ in range(2):
        with contextlib.suppress(StorageFailed, asyncio.CancelledError):
            async with store.offloaded.room_for_copy(2 * offload.COPIED_BYTES):
                with pytest.raises(StorageFailed):
                    async with store.offloaded.room_for_copy(1):
                        pass
                if error is not None:
                    raise error

    async with store.offloaded.room_for_copy(offload.COPIED_BYTES):
        pass


async def test_a_missing_damaged_or_unnamed_object_is_not_found(
    store: Store, settings: Settings
) -> None:
    await store.offloaded.put("acc", EXECUTION, "1.0.9", b"too short")
    (file,) = outputs_of(settings, "acc", EXECUTION)
    file.write_bytes(b"short")

    for name in ("1.0.9", "1.1.9", "True", ""):
        with pytest.raises(FileNotFoundError):
            await store.offloaded.read("acc", EXECUTION, name)


async def test_a_sweep_removes_only_objects_of_executions_that_are_gone(
    store: Store, settings: Settings, account: Account
) -> None:
    living = await ended(store, account, "x")
    for owner in (account.id, "of-another-installation"):
        await store.offloaded.put(owner, EXECUTION, "1.0.1", b"x")
    folder = Path(outputs_of(settings, account.id, living)[0]).parent.parent
    (folder / "stray").write_bytes(b"nobody's")

    removed = [await store.offloaded.sweep() for _ in range(2)]

    assert removed == [1, 0]
    assert outputs_of(settings, account.id, EXECUTION) == []
    assert len(outputs_of(settings, account.id, living)) == 1
    assert len(outputs_of(settings, "of-another-installation", EXECUTION)) == 1


async def test_a_result_that_is_gone_is_said_to_be_gone_and_takes_no_list_with_it(
    store: Store, settings: Settings, account: Account
) -> None:
    execution_id = await ended(store, account, "x" * 9)
    outputs_of(settings, account.id, execution_id)[0].unlink()

    for read in (store.executions.head, store.executions.get):
        with pytest.raises(ResultGone) as gone:
            await read(account.id, execution_id)
        assert gone.value.context == {"executionId": execution_id}

    facts = await store.executions.facts(account.id, execution_id)
    rows, _ = await store.executions.list(account.id)
    assert facts.status is ExecutionStatus.COMPLETED
    assert [(row.id, row.result) for row in rows] == [(execution_id, None)]


async def test_a_result_that_cannot_be_read_now_is_to_be_asked_for_later(
    store: Store, account: Account, settings: Settings
) -> None:
    execution_id = await ended(store, account, "x" * 9)
    away = Store.open(settings)

    for read in (away.executions.head, away.executions.get):
        with pytest.raises(ResultUnreadable) as failed:
            await read(account.id, execution_id)
        assert failed.value.context == {"executionId": execution_id}
        assert failed.value.retry_after_seconds

    await away.close()


@pytest.mark.parametrize("read_at_once", [1, 100])
async def test_a_page_of_large_results_ends_early_and_the_next_goes_on(
    store: Store,
    account: Account,
    sized: list[str],
    monkeypatch: pytest.MonkeyPatch,
    read_at_once: int,
) -> None:
    monkeypatch.setattr(listing, "PAGE_BYTES", 250_000)
    monkeypatch.setattr(listing, "OPEN_CHUNK", read_at_once)

    pages, cursor = [], None
    while cursor is not None or not pages:
        rows, cursor = await store.executions.list(account.id, limit=4, cursor=cursor)
        pages.append([(row.id, len(row.result)) for row in rows])

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row for page in pages for row in page] == [(each, 100_000) for each in sized[::-1]]


async def test_one_result_larger_than_a_page_is_a_page(
    store: Store, account: Account, sized: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_BYTES", 1)

    rows, cursor = await store.executions.list(account.id)

    assert [row.id for row in rows] == sized[-1:]
    assert cursor is not None


async def test_a_list_reads_only_results_that_it_shows(
    store: Store, account: Account, sized: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, names = ObjectStore.read, []

    async def noted(self: ObjectStore, key: str, max_bytes: int | None = None) -> bytes:
        names.append(key.split("/")[2])
        return await read(self, key, max_bytes)

    monkeypatch.setattr(ObjectStore, "read", noted)

    await store.executions.list(account.id, limit=2)
    await store.executions.list(account.id, ExecutionFilter(statuses=[ExecutionStatus.FAILED]))

    assert sorted(names) == sorted(sized[-2:])
