"""Connections to the history's database."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.pool import Pool

from engine.history.database.connections import Database
from engine.history.database.location import sqlite_url
from engine.history.errors import HistoryUnavailable
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
    with pytest.raises(HistoryUnavailable) as missing:
        revision(database)
    database.make_private()

    assert "headrace migrate" in missing.value.reason
    assert database.is_sqlite
    assert revision(database) == []
    database.close()


def revision(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars())


READS = """
import os, sys
from sqlalchemy import text
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable

path = sys.argv[1]
database = Database(f"sqlite:///{path}")

def read(size=0):
    with database.read() as connection:
        connection.execute(text("SELECT name FROM archive_state LIMIT 1")).scalar()
        if size:
            os.truncate(path, size)
        return connection.execute(text("SELECT sum(length(value)) FROM archive_state")).scalar()

with database.read():
    pass
whole = open(path, "rb").read()
try:
    print("read", read(size=65536))
except HistoryUnavailable as error:
    print("refused", error.reason)
open(path, "r+b").write(whole)
print("again", read() > 2_000_000)
"""


@pytest.mark.F60
def test_a_truncated_file_is_refused_and_ends_no_process(
    tmp_path: Path, sqlite_template: Path
) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        rows = [{"name": f"fact {number}", "value": "x" * 500} for number in range(5_000)]
        connection.execute(insert(archive_state), rows)
    database.close()

    done = subprocess.run(
        [sys.executable, "-c", READS, str(path)], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    refused, again = done.stdout.splitlines()
    assert refused.startswith("refused")
    assert again == "again True"


@pytest.mark.F60
def test_a_connection_that_is_broken_is_used_once(database: Database) -> None:
    for_good = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON" if database.is_sqlite else for_good)
    with pytest.raises(HistoryUnavailable):
        put(database, "one")

    put(database, "two")

    assert names(database) == {"database", "two"}


@pytest.mark.F60
def test_a_file_that_was_replaced_is_opened_anew(tmp_path: Path, sqlite_template: Path) -> None:
    path, other = tmp_path / "history.sqlite", tmp_path / "other.sqlite"
    for each in (path, other):
        each.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    put(database, "old")
    assert names(database) == {"database", "old"}
    for each in tmp_path.glob("history.sqlite-*"):
        each.unlink()

    other.replace(path)

    assert names(database) == {"database"}
    put(database, "new")
    assert names(Database(f"sqlite:///{path}")) == {"database", "new"}


def test_a_fresh_read_has_a_connection_of_its_own(database: Database) -> None:
    def kept() -> object:
        with database.read() as connection:
            return connection.connection.driver_connection

    with database.read(is_fresh=True) as connection:
        fresh = connection.connection.driver_connection
        assert connection.execute(select(archive_state.c.name)).scalars().all() == ["database"]

    assert kept() is kept() is not fresh


@pytest.mark.parametrize(("is_durable", "level"), [(True, 2), (False, 1)])
def test_an_archiver_has_on_the_disk_what_it_has_committed(
    tmp_path: Path, sqlite_template: Path, is_durable: bool, level: int
) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", is_durable=is_durable)

    with database.read() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == level
        assert connection.execute(text("PRAGMA mmap_size")).scalar() == 0


FOREVER = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000000) "
    "SELECT count(*) FROM n"
)


def test_a_read_ends_after_its_time_and_its_connection_is_used_again(database_url: str) -> None:
    database = Database(database_url, read_seconds=0.3)
    with pytest.raises(HistoryUnavailable) as caught, database.read() as connection:
        before = connection.connection.driver_connection
        connection.exec_driver_sql(FOREVER)

    assert caught.value.is_slow
    with database.read() as connection:
        assert connection.connection.driver_connection is before
        assert connection.execute(select(archive_state.c.name)).scalars().all() == ["database"]
    database.close()


def test_a_read_of_many_statements_has_one_time_for_all(database_url: str) -> None:
    database = Database(database_url, read_seconds=0.2)
    with pytest.raises(HistoryUnavailable) as caught, database.read() as connection:
        while True:
            connection.execute(select(archive_state.c.name)).all()

    assert caught.value.is_slow
    database.close()


def is_closed(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1")
    except Exception as error:
        return "closed" in str(error)
    return False


def test_a_connection_whose_transaction_ends_while_all_are_closed_is_closed_too(
    database: Database,
) -> None:
    opened: list[Any] = []
    closing = threading.Thread(target=database.close)

    def keep(connection: Any, *_: object) -> None:
        opened.append(connection)

    def close_all(*_: object) -> None:
        """Close all as one returns; it may wait for the return."""
        if closing.ident is None:
            closing.start()
            closing.join(0.5)

    event.listen(Pool, "connect", keep)
    event.listen(Pool, "reset", close_all)
    try:
        with database.read() as connection:
            connection.execute(text("SELECT 1"))
        closing.join()
    finally:
        event.remove(Pool, "connect", keep)
        event.remove(Pool, "reset", close_all)

    assert [is_closed(each) for each in opened] == [True]
