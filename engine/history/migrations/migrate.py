"""Migration of the history's database to the tables of this version."""

from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, text

from engine.history.database.connections import Database
from engine.history.database.identity import DATABASE_ID, read_database_id
from engine.history.migrations.revisions import REVISIONS, read_revision
from engine.history.schema import archive_state

FOLDER = Path(__file__).parent


def migrate(database: Database) -> str:
    """Migrate the database, in one transaction; return its revision. Raises HistoryUnavailable.

    The tables of a newer version of Headrace are left as they are.
    """
    database.make_private()
    with database.write() as connection:
        if read_revision(connection) in ("", *REVISIONS):
            migrate_to(database, connection, "head")
        _name_database(connection)
        return read_revision(connection)


def migrate_to(database: Database, connection: Connection, revision: str) -> None:
    """Migrate up to a revision, in the transaction of a connection; `head` is the newest."""
    config = _config()
    if not database.is_sqlite:
        # Indexes of a large history take longer than a statement of readers may.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def _name_database(connection: Connection) -> None:
    if not read_database_id(connection):
        connection.execute(insert(archive_state).values(name=DATABASE_ID, value=str(uuid4())))
