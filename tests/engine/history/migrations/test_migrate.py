"""The history's database: its tables, and their migration."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from engine.history.database.connections import Database
from engine.history.database.identity import read_database_id
from engine.history.migrations.migrate import FOLDER, migrate
from engine.history.migrations.revisions import (
    REVISIONS,
    check_database,
    newest_revision,
    revision_of,
)
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
        before = read_database_id(connection)

    assert migrate(database) == newest_revision()
    with database.read() as connection:
        assert read_database_id(connection) == before


def test_tables_of_a_newer_version_are_left_as_they_are(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    try:
        assert migrate(database) == "9999"
        assert revision_of(database) == "9999"
        assert check_database(database)
    finally:
        with database.write() as connection:
            connection.execute(
                text(f"UPDATE alembic_version SET version_num = '{newest_revision()}'")
            )


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    database = Database(f"sqlite:///{path}")

    migrate(database)

    assert path.stat().st_mode & 0o777 == 0o600
    database.close()


def test_the_named_revisions_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory(str(FOLDER)).walk_revisions()

    assert [script.revision for script in scripts] == list(reversed(REVISIONS))
