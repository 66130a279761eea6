"""Connections to the history's database."""

from pathlib import Path

import pytest
from sqlalchemy import insert, select

from engine.history.database import Database
from engine.history.errors import HistoryUnavailable
from engine.history.location import sqlite_url
from engine.history.schema import archive_state
from engine.settings import SettingError


def put(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(insert(archive_state).values(name=name, value="1"))


def names(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(archive_state.c.name)).scalars())


def test_a_transaction_is_written_as_a_whole(database: Database) -> None:
    put(database, "one")

    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute(insert(archive_state).values(name="two", value="1"))
        _ = 1 / 0

    assert names(database) == {"database", "one"}


def test_a_reader_sees_one_snapshot(database: Database) -> None:
    with database.read() as connection:
        before = set(connection.execute(select(archive_state.c.name)).scalars())
        put(database, "later")
        after = set(connection.execute(select(archive_state.c.name)).scalars())

    assert before == after == {"database"}
    assert names(database) == {"database", "later"}


def test_a_failure_of_the_database_is_told_without_its_text(database: Database) -> None:
    with pytest.raises(HistoryUnavailable) as caught:
        put(database, "database")

    assert caught.value.message == "The history cannot be read right now"
    assert "unique" in caught.value.reason.lower()


@pytest.mark.parametrize("url", ["", "history", "mysql://host/name"])
def test_another_url_is_refused_by_the_name_of_its_variable(url: str) -> None:
    with pytest.raises(SettingError, match="HEADRACE_DATABASE_URL"):
        Database(url)


def test_a_missing_server_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")

    with pytest.raises(HistoryUnavailable), database.read():
        pass


def test_no_password_is_shown() -> None:
    assert "hunter2" not in Database("postgresql://u:hunter2@host/name").shown_url


def test_the_file_of_a_data_folder(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))

    assert database.is_sqlite
    assert revision(database) == []
    database.close()


def revision(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars())
