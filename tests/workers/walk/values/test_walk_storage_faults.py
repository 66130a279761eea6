"""A place for media that is full, broken, forbidden or silent: errors, leftovers and charges."""

import asyncio
import base64
import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pytest
from aiohttp import web
from obstore.exceptions import GenericError, PermissionDeniedError

from engine.errors import StorageFailed
from engine.ids.partitions import partition_of
from engine.models.registry import use_models
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner, greeting
from tests.support.http.providers import Provider, a_named_provider, provided
from tests.support.manifests import PER_CALL
from tests.support.media import files
from tests.support.media.disk import GIB, Disk
from tests.support.media.faulty_blob_stores import shorten_pauses
from tests.support.store.redis_contents import contents
from tests.support.workers.paying_account import PRO
from workers.main import worker
from workers.media import assets

FULL = "Generic LocalFileSystem error: Unable to copy: /secret/place: No space left (os error 28)"
FAULTS: dict[str, Exception] = {
    "full": GenericError(FULL),
    "full for the account": OSError(errno.EDQUOT, "Disk quota exceeded", "/secret/place"),
    "broken": OSError(errno.EIO, "Input/output error", "/secret/place"),
    "for reading alone": OSError(errno.EROFS, "Read-only file system", "/secret/place"),
    "forbidden": PermissionDeniedError("/secret/place: Permission denied (os error 13)"),
}
STORED = obstore.put_async
LARGE = {"who": "x" * 300_000}

Break = Callable[[Exception], None]


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


@pytest.fixture
def break_writing(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Make every further write fail after a part of the data."""

    def breaks(fault: Exception) -> None:
        async def put(store: Any, key: str, data: Any, **options: Any) -> None:
            if not isinstance(data, bytes):
                await anext(aiter(data))
            raise fault

        monkeypatch.setattr("obstore.put_async", put)

    return breaks


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    async with a_named_provider(monkeypatch) as provider:
        yield provider


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    painter = provided(
        *("openai", 'api = "images"\nmodel = "any"\n'),
        name="painter",
        category="image",
        pricing=PER_CALL,
    )
    with use_models([painter]):
        yield


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


def upload(media_service: MediaService, account: Account, data: bytes) -> Awaitable[object]:
    return media_service.save(account.id, "audio/wav", pieces(data), source=AssetSource.UPLOAD)


def painting() -> Graph:
    graph = Graph().node("paint", "imageGenerator", model="painter", prompt="x")
    return graph.node("out", "responseOutput").wire("paint.image-out > out.result-in")


async def assert_nothing_is_left(store: Store, media_service: MediaService, folder: Path) -> None:
    for _ in range(2):
        for key in [key for key in await contents(store.client) if b":asset:" in key]:
            asset_id = key.decode().rpartition(":")[2]
            due = keyspace.assets_due(partition_of(asset_id))
            await store.client.send("ZADD", due, "XX", 1, asset_id)
        await media_service.collect()
    assert not [key for key in await contents(store.client) if b"asset" in key or b"media" in key]
    assert not [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [1_000, 700_000])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.F41
async def test_an_upload_that_cannot_be_stored_fails_and_leaves_nothing(
    media_service: MediaService,
    store: Store,
    account: Account,
    tmp_path: Path,
    break_writing: Break,
    fault: str,
    size: int,
) -> None:
    break_writing(FAULTS[fault])

    with pytest.raises(StorageFailed) as failed:
        await upload(media_service, account, files.wav(size, 1_000))

    assert "secret" not in failed.value.message
    assert failed.value.retry_after_seconds
    assert await store.assets.stored(account.id) == 0
    await assert_nothing_is_left(store, media_service, tmp_path / "media")


async def test_data_that_do_not_reach_the_disk_are_not_stored(
    media_service: MediaService,
    store: Store,
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    for size in (1_000, 700_000):
        with pytest.raises(StorageFailed):
            await upload(media_service, account, files.wav(size, 1_000))
    monkeypatch.undo()

    assert await store.assets.stored(account.id) == 0
    await assert_nothing_is_left(store, media_service, tmp_path / "media")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_run_whose_inputs_cannot_be_stored_is_refused_and_leaves_nothing(
    runner: Runner,
    store: Store,
    tmp_path: Path,
    break_writing: Break,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    shorten_pauses(monkeypatch)
    slug = await runner.save(greeting())
    break_writing(FAULTS[fault])

    with pytest.raises(StorageFailed) as failed:
        await runner.begin(slug, LARGE)
    accepted = await runner.begin(slug, {"who": "Ada"})

    assert "secret" not in failed.value.message
    assert failed.value.retry_after_seconds
    rows, _ = await store.executions.list(runner.account.id)
    assert [row.id for row in rows] == [accepted]
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_inputs_that_do_not_reach_the_disk_are_not_stored(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    shorten_pauses(monkeypatch)
    slug = await runner.save(greeting())
    monkeypatch.setattr(os, "fsync", fails)

    with pytest.raises(StorageFailed):
        await runner.begin(slug, LARGE)

    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def test_inputs_wait_for_a_disk_that_cannot_be_read_for_a_while(
    settings: Settings, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bytes:
        asked.append(1)
        raise OSError(errno.EIO, "Input/output error", "/secret/place")

    async def was_asked() -> int:
        return len(asked)

    asked: list[int] = []
    shorten_pauses(monkeypatch)
    monkeypatch.setattr("workers.walk.walker.UNREAD_PAUSE_MS", 1)
    execution_id = await runner.begin(await runner.save(greeting()), LARGE)

    async with worker(settings):
        with monkeypatch.context() as patch:
            patch.setattr("engine.media.objects.read_file", fails)
            await eventually(was_asked, lambda found: found > 10)
        execution = await runner.end(execution_id)

    assert execution.status == "completed"
    assert execution.result == {"text": f"Hello {LARGE['who']}"}


def as_data(provider: Provider) -> None:
    data = base64.b64encode(files.picture("PNG", 900, 900)).decode()
    provider.answers = [{"data": [{"b64_json": data}]}]


def as_link(provider: Provider) -> None:
    picture = web.Response(body=files.picture("PNG", 900, 900), content_type="image/png")
    provider.at = {"/a.png": [picture]}
    provider.answers = [{"data": [{"url": f"{provider.url}/a.png"}]}]


@pytest.mark.parametrize("gives", [as_data, as_link])
@pytest.mark.F41
async def test_a_picture_that_cannot_be_stored_fails_its_node_and_costs_nothing(
    settings: Settings,
    runner: Runner,
    store: Store,
    media_service: MediaService,
    provider: Provider,
    tmp_path: Path,
    break_writing: Break,
    gives: Callable[[Provider], None],
) -> None:
    gives(provider)
    slug, ended = await runner.save(painting()), []

    async with worker(settings):
        for fault in FAULTS.values():
            break_writing(fault)
            ended.append(await runner.end(await runner.begin(slug, terms=PRO)))

    wallet = await store.wallets.get(runner.account.id, PRO)
    for execution in ended:
        [error] = [node.error for node in execution.nodes if node.error]
        assert (execution.status, error["code"]) == ("failed", "storage_error")
        assert "secret" not in error["message"]
        assert execution.credits_cost == 0
    assert (wallet.balance, wallet.reserved) == (PRO.allowance, 0)
    assert await store.wallets.check(runner.account.id) == []
    assert await store.assets.stored(runner.account.id) == 0
    await assert_nothing_is_left(store, media_service, tmp_path / "media")


@pytest.mark.F41
async def test_a_place_that_is_well_again_stores_the_medium_of_the_next_attempt(
    settings: Settings,
    runner: Runner,
    store: Store,
    provider: Provider,
    break_writing: Break,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_data(provider)
    break_writing(FAULTS["full"])

    async with worker(settings):
        slug = await runner.save(painting())
        failed = await runner.end(await runner.begin(slug, terms=PRO))
        monkeypatch.setattr("obstore.put_async", STORED)
        done = await runner.end(await runner.begin(slug, terms=PRO))

    assert (failed.status, done.status) == ("failed", "completed")
    assert (failed.credits_cost, done.credits_cost) == (0, 13)
    assert await store.assets.stored(runner.account.id) > 0


@pytest.mark.F41
async def test_a_place_that_does_not_answer_fails_the_node_in_time(
    settings: Settings,
    runner: Runner,
    store: Store,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    as_data(provider)
    monkeypatch.setattr("obstore.put_async", never)
    monkeypatch.setattr(assets, "COPY_SECONDS", 0.2)

    async with worker(settings):
        slug = await runner.save(painting())
        execution = await runner.end(await runner.begin(slug, terms=PRO))

    [error] = [node.error for node in execution.nodes if node.error]
    assert (error["code"], execution.credits_cost) == ("storage_error", 0)


async def test_a_provider_is_not_called_without_space_for_the_medium(
    settings: Settings,
    runner: Runner,
    store: Store,
    media_service: MediaService,
    provider: Provider,
    tmp_path: Path,
) -> None:
    as_data(provider)
    tiers = tmp_path / "tiers.toml"
    tiers.write_text("[pro]\nmedia_bytes = 1_000\n")
    await upload(media_service, runner.account, files.wav(1_000, 1_000))

    async with worker(replace(settings, tiers_file=str(tiers))):
        slug = await runner.save(painting())
        execution = await runner.end(await runner.begin(slug, terms=PRO))

    [error] = [node.error for node in execution.nodes if node.error]
    assert (error["code"], execution.credits_cost) == ("storage_error", 0)
    assert "of the 1000 that its tier allows" in error["message"]
    assert provider.asked == []


async def test_a_provider_is_not_asked_where_the_disk_must_keep_its_room(
    settings: Settings, runner: Runner, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_data(provider)
    Disk(monkeypatch, free=GIB - 1)

    async with worker(replace(settings, media_free_bytes=GIB)):
        slug = await runner.save(painting())
        execution = await runner.end(await runner.begin(slug, terms=PRO))

    error = execution.error or {}
    assert (error["nodeCode"], error["retryable"]) == ("storage_error", False)
    assert "no room left" in error["message"]
    assert (execution.credits_cost, provider.asked) == (0, [])


REAL_DISK = """
import asyncio, pathlib, sys
from engine.errors import StorageFailed
from engine.media.objects import ObjectStore

async def pieces(count):
    for _ in range(count):
        yield bytes(65_536)

async def main(folder):
    objects = ObjectStore(pathlib.Path(folder).as_uri())
    await objects.put("ab/first", b"x")
    for count in (32, 1):
        try:
            for number in range(32):
                await objects.put_stream(f"ab/large{count}{number}", pieces(count))
        except StorageFailed:
            print("full")
    names = [path.name for path in pathlib.Path(folder).rglob("*") if path.is_file()]
    print("drafts", sum("#" in name for name in names))
    print(await objects.read("ab/first", 9))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.F41
def test_a_full_disk_is_reported_and_keeps_its_files(tmp_path: Path) -> None:
    mounted = f"mount -t tmpfs -o size=1m none {tmp_path} && exec {sys.executable} -c "
    command = mounted + f"'{REAL_DISK}' {tmp_path}/media"

    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines() == ["full", "full", "drafts 0", "b'x'"]
