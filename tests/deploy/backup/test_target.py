"""Data directories during a restore: empty before, refused meanwhile, whole afterwards."""

from pathlib import Path

import pytest
import redis

from deploy.backup.target import DataDirectory
from deploy.output.problems import CommandFailed
from deploy.stack.location import require_whole


async def fill(target: DataDirectory) -> None:
    async with target.filling() as url:
        with redis.Redis.from_url(url) as client:
            client.set("key", "value")


async def test_the_data_is_in_place_once_all_of_it_is_there(tmp_path: Path) -> None:
    target = DataDirectory(tmp_path, {})
    target.require_empty()
    async with target.filling():
        with pytest.raises(CommandFailed, match="is not restored whole"):
            require_whole(tmp_path)
        assert not (tmp_path / "redis").exists()

    require_whole(tmp_path)
    assert list((tmp_path / "redis").glob("appendonlydir/*.aof"))
    with pytest.raises(CommandFailed, match=r"is not empty \(redis\)"):
        target.require_empty()


async def test_an_interrupted_restore_is_refused_and_begun_anew(tmp_path: Path) -> None:
    target = DataDirectory(tmp_path, {})
    (tmp_path / "secret.key").write_text("k")
    with pytest.raises(RuntimeError):
        async with target.filling():
            (tmp_path / "history.sqlite").write_text("half")
            raise RuntimeError

    with pytest.raises(CommandFailed, match="is not restored whole"):
        require_whole(tmp_path)
    target.require_empty()
    await fill(target)

    require_whole(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "installation.json",
        "redis",
        "secret.key",
    ]


@pytest.mark.parametrize("name", ["redis", "history.sqlite"])
async def test_a_directory_with_data_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    place = tmp_path / name / "data" if name == "redis" else tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")

    with pytest.raises(CommandFailed, match=rf"is not empty \({name}\)"):
        DataDirectory(tmp_path, {}).require_empty()
    assert place.read_text() == "mine"


async def test_another_redis_is_filled_in_its_place(tmp_path: Path, redis_url: str) -> None:
    target = DataDirectory(tmp_path, {"HEADRACE_REDIS_URL": redis_url})
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "data").write_text("of another time")
    target.require_empty()
    await fill(target)

    with redis.Redis.from_url(redis_url) as client:
        assert client.get("key") == b"value"
    assert "redis.restoring" not in {each.name for each in tmp_path.iterdir()}
