import io
from pathlib import Path

import pytest

from deploy.backup.media_list import MediaObject, count_missing, pack_objects, read_objects
from engine.media.objects import ObjectStore


@pytest.fixture
def media(tmp_path: Path) -> ObjectStore:
    return ObjectStore((tmp_path / "media").as_uri())


async def listed(store: ObjectStore) -> list[MediaObject]:
    return [MediaObject(*each) async for part in store.sizes() for each in part]


async def test_the_list_names_the_objects_of_a_store_with_their_sizes(media: ObjectStore) -> None:
    await media.put("assets/one", b"12345")
    await media.put("values/two", b"")

    found = await listed(media)

    assert sorted(found, key=lambda each: each.name) == [
        MediaObject("assets/one", 5),
        MediaObject("values/two", 0),
    ]
    assert list(read_objects(io.BytesIO(pack_objects(found)))) == found


async def test_unfinished_files_are_not_listed(media: ObjectStore, tmp_path: Path) -> None:
    await media.put("assets/one", b"12345")
    (tmp_path / "media" / "assets" / "two#1").write_bytes(b"123")

    assert [each.name for each in await listed(media)] == ["assets/one"]


async def test_missing_and_shorter_objects_are_counted(media: ObjectStore, tmp_path: Path) -> None:
    await media.put("assets/one", b"12345")
    await media.put("assets/two", b"12345")
    await media.put("assets/three", b"12345")
    lines = io.BytesIO(pack_objects(await listed(media)))
    assert await count_missing(lines, media) == 0

    await media.delete("assets/one")
    (tmp_path / "media" / "assets" / "two").write_bytes(b"123")

    lines.seek(0)
    assert await count_missing(lines, media) == 2


async def test_a_stack_without_a_media_store_has_none() -> None:
    assert await listed(ObjectStore("")) == []
