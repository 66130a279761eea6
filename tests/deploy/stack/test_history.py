"""The database of a stack's history."""

import asyncio
from pathlib import Path

import pytest

from deploy.stack import history as module
from deploy.stack.console import Console
from deploy.stack.history import StackHistory, find_database
from deploy.stack.location import DATABASE_URL, Stack, remember
from engine.history.database import Database, sqlite_url
from engine.history.migrate import newest_revision, revision_of


async def test_a_stack_migrates_its_database(tmp_path: Path) -> None:
    history = StackHistory(sqlite_url(tmp_path), Console())

    await (await history.prepare())

    assert revision_of(Database(history.url)) == newest_revision()


async def test_a_database_that_is_away_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)
    folder = tmp_path / "later"
    console = Console()
    history = StackHistory(sqlite_url(folder), console)

    waiting = await history.prepare()
    assert not waiting.done()
    folder.mkdir()
    await asyncio.wait_for(waiting, 30)
    console.close()

    assert revision_of(Database(history.url)) == newest_revision()
    assert "the database of the history is away" in capsys.readouterr().err


def test_commands_find_the_database_of_the_environment_then_the_stacks_then_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE_URL, raising=False)
    assert find_database(tmp_path).shown_url == sqlite_url(tmp_path)

    recorded = f"sqlite:///{tmp_path / 'other.sqlite'}"
    remember(Stack(data_dir=tmp_path, redis_url="redis://x", settings={DATABASE_URL: recorded}))
    assert find_database(tmp_path).shown_url == recorded

    monkeypatch.setenv(DATABASE_URL, "sqlite:////named")
    assert find_database(tmp_path).shown_url == "sqlite:////named"
