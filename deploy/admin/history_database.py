"""The database of a stack's history, as commands find it."""

import os
from pathlib import Path

from deploy.output.problems import CommandFailed
from deploy.stack.location import DATABASE_URL, RECORD, read_private
from engine.history.database.connections import Database
from engine.history.database.location import sqlite_url
from engine.history.errors import HistoryUnavailable


def find_database(data_dir: Path) -> Database:
    """Return the database of a stack: the environment's, the running one's, or the folder's."""
    return Database(named_url(data_dir) or sqlite_url(data_dir))


def named_url(data_dir: Path) -> str:
    """Return the URL that the environment or the running stack names, empty for none."""
    settings = read_private(data_dir / RECORD).get("settings", {})
    return os.environ.get(DATABASE_URL) or settings.get(DATABASE_URL) or ""


def reason_of(error: HistoryUnavailable) -> CommandFailed:
    """Return the failure of a command whose database cannot be used."""
    return CommandFailed(f"The database of the history cannot be used: {error.reason}.")
