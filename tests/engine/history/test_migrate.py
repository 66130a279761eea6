"""The history's database: its tables, and their migration."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from engine.history.database import Database
from engine.history.migrate import database_id, migrate, newest_revision, revision_of
from engine.history.schema import metadata


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


def test_a_new_file_has_no_revision(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")

    assert revision_of(database) == ""
    database.close()
