"""The history's database: its tables, and their migration."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from engine.history.database import Database, HistoryUnavailable
from engine.history.migrate import (
    check_database,
    database_id,
    migrate,
    newest_revision,
    revision_of,
)
from engine.history.schema import metadata

NEWEST = newest_revision()


def test_migrations_make_the_tables_of_the_schema(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, metadata)
        keys = {
            table.name: inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            for table in metadata.sorted_tables
        }

    assert differences == []
    assert keys == {
        table.name: [column.name for column in table.primary_key]
        for table in metadata.sorted_tables
    }


def test_a_migrated_database_is_at_the_newest_revision(database: Database) -> None:
    assert revision_of(database) == newest_revision()


def test_a_second_migration_changes_nothing(database: Database) -> None:
    with database.read() as connection:
        before = database_id(connection)

    assert migrate(database) == newest_revision()
    with database.read() as connection:
        assert database_id(connection) == before


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    database = Database(f"sqlite:///{path}")

    migrate(database)

    assert path.stat().st_mode & 0o777 == 0o600
    database.close()


def test_a_database_without_tables_or_with_old_ones_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with pytest.raises(HistoryUnavailable) as caught:
        check_database(database)
    assert "headrace migrate" in caught.value.reason

    migrate(database)
    with database.read() as connection:
        assert check_database(database) == database_id(connection)
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

    assert revision_of(database) == ""
    database.close()
