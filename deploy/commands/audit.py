"""`headrace audit`: the administrative acts of an installation."""

from pathlib import Path

import click

from deploy.commands import options
from deploy.output.rows import audit_row
from deploy.output.tables import show
from deploy.stack.store_access import with_store

COLUMNS = ("at", "by", "action", "subject", "before", "after")


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, metavar="N")
@options.data_dir
@options.as_json
def audit(limit: int, data_dir: Path, as_json: bool) -> None:
    """List the newest administrative acts, newest first."""
    entries, _ = with_store(data_dir, lambda store: store.audit.page(limit=limit))
    show([audit_row(each) for each in entries], as_json=as_json, columns=COLUMNS)
