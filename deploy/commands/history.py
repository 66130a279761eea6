"""`headrace history`: the database of ended executions."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from deploy.admin.history import export_executions, read_status
from deploy.admin.history_database import find_database
from deploy.commands import options
from deploy.output.tables import show
from deploy.stack.store_access import with_store

STATUS_COLUMNS = (
    *("database", "revision", "isCurrent", "executions", "archivedUntil"),
    *("waiting", "waitingDeliveries", "waitingOccurrences", "refused", "error"),
)


@click.group()
def history() -> None:
    """Show and export the history: what is over, in a database."""


@history.command()
@options.data_dir
@options.as_json
def status(data_dir: Path, as_json: bool) -> None:
    """Show until when all is archived, and what waits; exits 1 when nothing can be archived."""
    database = find_database(data_dir)
    row = with_store(data_dir, lambda store: read_status(store, database))
    show(row, as_json=as_json, columns=STATUS_COLUMNS)
    sys.exit(1 if row["error"] else 0)


def _day(help_text: str, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        name, type=click.DateTime(formats=["%Y-%m-%d"]), metavar="YYYY-MM-DD", help=help_text
    )


@history.command()
@click.argument("file", type=click.File("wb"), default="-")
@options.account
@_day("Executions that were created from this day (UTC) on.", "--from")
@_day("Executions that were created before this day (UTC).", "--to")
@options.data_dir
def export(file: Any, account_id: str | None, data_dir: Path, **days: datetime | None) -> None:
    """Write archived executions as JSON lines to FILE, or to the standard output."""
    lines = export_executions(
        find_database(data_dir),
        account_id=account_id,
        from_ms=options.milliseconds(days["from"]),
        to_ms=options.milliseconds(days["to"]),
    )
    for line in lines:
        file.write(line)
