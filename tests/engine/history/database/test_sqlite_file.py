"""Files of SQLite that are moved, replaced or removed under a process."""

from pathlib import Path

import pytest

from engine.history.database.sqlite_file import SqliteFile
from engine.history.errors import HistoryUnavailable


def put(path: Path, text: str = "x") -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_a_file_is_replaced_once(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    put(path)
    file = SqliteFile(path)

    assert not file.is_replaced()
    path.write_text("more in the same file")
    assert not file.is_replaced()
    put(path)
    assert file.is_replaced()
    assert not file.is_replaced()


def test_a_missing_file_is_told_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    put(path)
    file = SqliteFile(path)
    file.is_replaced()
    away = path.rename(tmp_path / "away")

    with pytest.raises(HistoryUnavailable) as missing:
        file.is_replaced()
    away.rename(path)

    assert "headrace migrate" in missing.value.reason
    assert not file.is_replaced()


def test_a_new_file_beside_the_journal_of_the_one_before_is_not_touched(tmp_path: Path) -> None:
    path, journal = tmp_path / "history.sqlite", tmp_path / "history.sqlite-wal"
    put(path)
    journal.write_text("pages of the first file")
    file = SqliteFile(path)
    file.is_replaced()
    put(path)

    for _ in range(2):
        with pytest.raises(HistoryUnavailable) as stale:
            file.is_replaced()
    journal.unlink()

    assert f"remove {journal}" in stale.value.reason
    assert file.is_replaced()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////data/history.sqlite", "/data/history.sqlite"),
        ("sqlite:////data/a%20b.sqlite?timeout=3", "/data/a b.sqlite"),
        ("sqlite:///here.sqlite", "here.sqlite"),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("postgresql://host/name", None),
        ("", None),
    ],
)
def test_the_file_of_a_url(url: str, path: str | None) -> None:
    file = SqliteFile.from_url(url)

    assert (file and str(file.path)) == path
