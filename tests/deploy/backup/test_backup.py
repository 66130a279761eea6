"""A backup is of one moment: whatever ends during it is in Redis alone."""

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from deploy.backup.backup import back_up
from deploy.backup.progress import ProgressLines
from deploy.output.problems import CommandFailed
from engine.history.archiving.execution_writer import write_executions
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.store.redis import keyspace
from engine.store.redis.connection import Connection
from engine.store.redis.snapshot.stream import SnapshotStream
from tests.support.history.rows import rows
from tests.support.redis.installation import SECRET_KEY

QUIET = ProgressLines(is_quiet=True)


@pytest.fixture(autouse=True)
def settings_of_the_command(
    redis_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.history.database.connections.BUSY_SECONDS", 0.1)
    for name, value in {
        "REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
        "SECRET_KEY": SECRET_KEY,
    }.items():
        monkeypatch.setenv(f"HEADRACE_{name}", value)
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("repl-diskless-sync-delay", 0)


def write(url: str) -> None:
    """Write an execution into the history as the archiver would, or fail soon."""
    with closing(Database(url, read_seconds=0.3)) as database:
        write_executions(database, [rows()])


async def test_the_history_is_that_of_the_moment_of_the_snapshot(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(database_url)
    opened, pieces, seen = SnapshotStream.open, SnapshotStream.pieces, list[str]()

    async def open_late(connection: Connection) -> SnapshotStream:
        with pytest.raises(HistoryUnavailable):
            await asyncio.to_thread(write, database_url)
        seen.append("frozen before")
        return await opened(connection)

    async def pieces_late(stream: SnapshotStream) -> AsyncIterator[bytes]:
        await asyncio.to_thread(write, database_url)
        seen.append("written after")
        async for piece in pieces(stream):
            yield piece

    monkeypatch.setattr(SnapshotStream, "open", open_late)
    monkeypatch.setattr(SnapshotStream, "pieces", pieces_late)

    row = await back_up(tmp_path, tmp_path / "backup.zip", QUIET)

    assert seen == ["frozen before", "written after"]
    assert row["historyExecutions"] == 1


async def test_another_database_than_the_installations_is_not_saved(
    redis_url: str, tmp_path: Path
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.hset(keyspace.history(), "database", "another")

    with pytest.raises(CommandFailed, match="names another one than before"):
        await back_up(tmp_path, tmp_path / "backup.zip", QUIET)
    assert list(tmp_path.glob("*.zip")) == []


async def test_an_installation_without_a_history_is_saved_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE_URL", f"sqlite:///{tmp_path}/none.sqlite")

    row: dict[str, Any] = await back_up(tmp_path, tmp_path / "backup.zip", QUIET)

    assert row["historyExecutions"] is None
    with zipfile.ZipFile(tmp_path / "backup.zip") as file:
        assert file.namelist() == ["redis/0.rdb", "media.jsonl", "manifest.json"]


async def test_a_history_that_is_away_is_not_left_out(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE_URL", f"sqlite:///{tmp_path}/none.sqlite")
    with redis.Redis.from_url(redis_url) as client:
        client.hset(keyspace.history(), "database", "ours")

    with pytest.raises(CommandFailed, match="its file is missing"):
        await back_up(tmp_path, tmp_path / "backup.zip", QUIET)
