"""Checks of the history's database before it is used."""

from pathlib import Path

import pytest
from sqlalchemy import text

from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.migrate import migrate
from engine.history.migrations.revisions import check_database, newest_revision, revision_of

NEWEST = newest_revision()


def test_a_database_without_tables_or_with_old_ones_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with pytest.raises(HistoryUnavailable) as caught:
        check_database(database)
    assert "headrace migrate" in caught.value.reason

    migrate(database)
    with database.read() as connection:
        assert check_database(database) == read_database_id(connection)
    database.close()


def test_a_database_of_a_newer_version_is_taken(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        assert check_database(database)
    finally:
        with database.write() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEWEST}'"))


def test_a_new_file_has_no_revision(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    database.make_private()

    assert revision_of(database) == ""
    database.close()
