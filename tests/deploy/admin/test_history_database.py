"""The database of a stack's history, as commands find it."""

from pathlib import Path

import pytest

from deploy.admin.history_database import find_database, named_url
from deploy.stack.location import DATABASE_URL, Stack, remember
from engine.history.database.location import sqlite_url


def test_commands_find_the_database_of_the_environment_then_the_stacks_then_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE_URL, raising=False)
    assert find_database(tmp_path).shown_url == sqlite_url(tmp_path)
    assert named_url(tmp_path) == ""

    recorded = f"sqlite:///{tmp_path / 'other.sqlite'}"
    remember(Stack(data_dir=tmp_path, redis_url="redis://x", settings={DATABASE_URL: recorded}))
    assert find_database(tmp_path).shown_url == named_url(tmp_path) == recorded

    monkeypatch.setenv(DATABASE_URL, "sqlite:////named")
    assert find_database(tmp_path).shown_url == "sqlite:////named"
