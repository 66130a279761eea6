"""Place of the history's database in a data folder."""

from pathlib import Path

import pytest

from engine.history.database.location import sqlite_url


def test_the_url_names_the_file_absolutely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert sqlite_url(Path("data")) == f"sqlite:///{tmp_path}/data/history.sqlite"
