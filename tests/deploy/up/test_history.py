"""The database of a stack's history."""

import asyncio
from pathlib import Path

import pytest

from deploy.stack.console import Console
from deploy.up import history as module
from deploy.up.history import StackHistory
from engine.history.database.connections import Database
from engine.history.database.location import sqlite_url
from engine.history.migrations.revisions import newest_revision, revision_of


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
