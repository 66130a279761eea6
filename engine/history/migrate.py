"""Migration of the history's database to the tables of this version."""

from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select, text

from engine.history.database import Database, HistoryUnavailable
from engine.history.schema import archive_state

FOLDER = Path(__file__).parent / "migrations"
DATABASE_ID = "database"


def migrate(database: Database) -> str:
    """Migrate the database, in one transaction; return its revision. Raises HistoryUnavailable."""
    config = _config()
    database.make_private()
    with database.write() as connection:
        if not database.is_sqlite:
            # Indexes of a large history take longer than a statement of readers may.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        _name_database(connection)
        return _current(connection) or ""


def check_database(database: Database) -> str:
    """Return the database's id. Raises HistoryUnavailable unless it has the tables it should have.

    A database of a newer version of Headrace is taken as it is.
    """
    revision, script = revision_of(database), ScriptDirectory.from_config(_config())
    known = [each.revision for each in script.walk_revisions()]
    if not revision or (revision in known and revision != known[0]):
        raise HistoryUnavailable("its tables are missing or old: run `headrace migrate`")
    with database.read() as connection:
        return database_id(connection)


def newest_revision() -> str:
    """Return the revision that this version of Headrace needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def revision_of(database: Database) -> str:
    """Return the revision of the database, empty before the first. Raises HistoryUnavailable."""
    with database.read() as connection:
        return _current(connection) or ""


def database_id(connection: Connection) -> str:
    """Return the id that the database got with its first migration."""
    found = select(archive_state.c.value).where(archive_state.c.name == DATABASE_ID)
    return str(connection.execute(found).scalar_one())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _name_database(connection: Connection) -> None:
    found = select(archive_state.c.value).where(archive_state.c.name == DATABASE_ID)
    if connection.execute(found).first() is None:
        connection.execute(insert(archive_state).values(name=DATABASE_ID, value=str(uuid4())))
