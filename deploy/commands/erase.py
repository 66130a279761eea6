"""`headrace account erase`: the erasure of an account."""

from pathlib import Path

import click

from deploy.admin.erasure import erase as erase_account
from deploy.admin.history_database import find_database
from deploy.commands import options
from deploy.output.tables import show
from deploy.stack.store_access import with_store


@click.command()
@click.argument("account_id", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Only show what there is to erase.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.data_dir
@options.as_json
def erase(account_id: str, dry_run: bool, yes: bool, data_dir: Path, as_json: bool) -> None:
    """Erase an account with its keys, workflows, media and history, for good."""
    if not dry_run and not yes:
        click.confirm(f"Erase {account_id} and all that it has, for good?", abort=True, err=True)
    database = find_database(data_dir)
    counts = with_store(
        data_dir, lambda store: erase_account(store, database, account_id, dry_run=dry_run)
    )
    row = {"id": account_id, "erased": not dry_run, **counts}
    show(row, as_json=as_json, columns=tuple(row))
