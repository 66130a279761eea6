"""The history's database: its tables, and their migration."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from engine.history.database import Database, HistoryUnavailable
from engine.history.migrate import (
    FOLDER,
    check_database,
    database_id,
    migrate,
    newest_revision,
    revision_of,
)
from engine.history.rows import make_rows
from engine.history.schema import metadata
from engine.history.writer import write_executions
from tests.support.history.rows import MONDAY, NAMES, ended, table_rows

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


def test_rows_of_the_first_revision_stay_and_get_the_indexes_of_later_ones(
    database: Database,
) -> None:
    empty_all(database)
    upgrade(database, "0001")
    rows = [make_rows(ended(created=MONDAY + n), NAMES) for n in range(3)]
    write_executions(database, rows)
    before = {table.name: table_rows(database, table) for table in metadata.sorted_tables}

    assert migrate(database) == newest_revision()

    after = {table.name: table_rows(database, table) for table in metadata.sorted_tables}
    name_of_database = after.pop("archive_state")
    assert before.pop("archive_state") == []
    assert len(name_of_database) == 1
    assert after == before
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def empty_all(database: Database) -> None:
    """Remove all tables."""
    with database.write() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))


def upgrade(database: Database, revision: str) -> None:
    """Make the tables of a revision."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_new_file_has_no_revision(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")

    assert revision_of(database) == ""
    database.close()
