"""`headrace migrate`: an installation after an upgrade."""

from pathlib import Path

import click

from deploy.admin.migration import explain_delay
from deploy.admin.migration import migrate as migrate_installation
from deploy.commands import options
from deploy.output.problems import CommandFailed
from deploy.output.tables import show

COLUMNS = ("database", "revision", "schemaVersion")


@click.command()
@options.data_dir
@options.as_json
def migrate(data_dir: Path, as_json: bool) -> None:
    """Bring the history's tables and the store to this version; `headrace up` does so itself.

    The store follows once no process of an older version runs; exits 1 while one does.
    """
    row = migrate_installation(data_dir)
    show(row, as_json=as_json, columns=COLUMNS)
    if delay := explain_delay(row):
        raise CommandFailed(delay)
