"""Loaded databases of a benchmark: made once per folder, and used again where it is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from engine.history.database.connections import Database
from engine.history.migrations.migrate import migrate
from tests.benchmarks.history.data import is_loaded, load
from tests.support.history.databases import driven, postgresql_server

NAME = "history"


@contextmanager
def loaded(kind: str, folder: Path, count: int) -> Iterator[tuple[str, bool]]:
    """Run a database with so many executions; yield its URL, and whether they were loaded now."""
    with running_database(kind, folder) as url:
        database = Database(url)
        migrate(database)
        is_new = not is_loaded(database, count)
        if is_new:
            load(database, count)
        database.close()
        if is_new and kind == "postgresql":
            _vacuum(url)
        yield url, is_new


@contextmanager
def running_database(kind: str, folder: Path) -> Iterator[str]:
    """Run the database of a folder; yield its URL."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'history.sqlite'}"
        return
    server = postgresql_server(folder / kind, "stop")
    try:
        admin = create_engine(driven(server.get_uri()), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            found = text("SELECT 1 FROM pg_database WHERE datname = :name")
            if connection.execute(found, {"name": NAME}).first() is None:
                connection.execute(text(f"CREATE DATABASE {NAME}"))
        admin.dispose()
        yield server.get_uri(database=NAME)
    finally:
        server.cleanup()


def _vacuum(url: str) -> None:
    """Do at once the upkeep that PostgreSQL does by itself after some minutes."""
    engine = create_engine(driven(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
