"""Hostile films and archives: inspected, never decoded, followed or unpacked."""

import resource
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UnsupportedMediaType
from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.media import AssetSource
from tests.support.media.hostile_files import archives, odd_films, wrong_films
from tests.support.process.cpu_time import cpu_limit

ARCHIVES, WRONG, ODD = archives(), wrong_films(), odd_films()
DECLARED = ("application/zip", "application/octet-stream", "video/mp4", "image/png", "audio/mpeg")
SECONDS, MEMORY_KB = 0.1, 20_480


@pytest.fixture
def media_service(settings: Settings, store: Store) -> MediaService:
    return MediaService.from_settings(settings, store)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


async def keep(media_service: MediaService, account: Account, declared: str, data: bytes) -> Any:
    """Return the outcome of an upload, which must cost little time and memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with cpu_limit(SECONDS):
            return await media_service.save(
                account.id, declared, pieces(data), source=AssetSource.UPLOAD
            )
    finally:
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KB


@pytest.mark.A58
@pytest.mark.A57
def test_there_are_enough_of_them() -> None:
    assert (len(ARCHIVES) >= 25, len(WRONG) >= 20, len(ODD) >= 15) == (True, True, True)


@pytest.mark.A58
@pytest.mark.parametrize("name", ARCHIVES)
async def test_an_archive_is_refused_whatever_it_is_called(
    media_service: MediaService, account: Account, tmp_path: Path, name: str
) -> None:
    for declared in DECLARED:
        with pytest.raises(UnsupportedMediaType):
            await keep(media_service, account, declared, ARCHIVES[name])

    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


@pytest.mark.A57
@pytest.mark.A48
@pytest.mark.parametrize("name", WRONG)
async def test_what_is_no_film_is_refused(
    media_service: MediaService, account: Account, tmp_path: Path, name: str
) -> None:
    declared, data = WRONG[name]

    for each in (declared, "application/octet-stream"):
        with pytest.raises(UnsupportedMediaType):
            await keep(media_service, account, each, data)

    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


@pytest.mark.A57
@pytest.mark.parametrize("name", ODD)
async def test_an_odd_film_is_kept_as_the_bytes_it_is(
    media_service: MediaService, account: Account, tmp_path: Path, name: str
) -> None:
    data, milliseconds = ODD[name]

    asset = await keep(media_service, account, "video/mp4", data)

    assert (asset.content_type, asset.duration_ms) == ("video/mp4", milliseconds)
    [path] = [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    assert path.read_bytes() == data
    with pytest.raises(UnsupportedMediaType):
        await media_service.picture(asset, 64)
