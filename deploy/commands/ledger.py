"""`headrace ledger`: movements of credits, and the check that they add up."""

import sys
from pathlib import Path

import click

from deploy.admin.ledgers import check_ledgers, newest_entries
from deploy.commands import options
from deploy.output.rows import bucket_text
from deploy.output.tables import show
from deploy.stack.store_access import with_store

CHECK_COLUMNS = ("accountId", "entries", "balance", "faults")
ENTRY_COLUMNS = (
    *("at", "kind", "bucket", "credits", "reserved", "balance"),
    *("executionId", "node"),
)


@click.group()
def ledger() -> None:
    """Check and show the movements of credits."""


@ledger.command()
@options.account
@options.data_dir
@options.as_json
def check(account_id: str | None, data_dir: Path, as_json: bool) -> None:
    """Add up the ledger of one account, or of each; exits 1 when a sum is not the balance."""
    rows = with_store(data_dir, lambda store: check_ledgers(store, account_id))
    if as_json:
        show(rows, as_json=True, columns=())
    else:
        shown = [{**row, "faults": row["faults"] or "none"} for row in rows]
        show(shown, as_json=False, columns=CHECK_COLUMNS)
    sys.exit(1 if any(row["faults"] for row in rows) else 0)


@ledger.command("show")
@click.argument("account_id", metavar="ID")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@options.data_dir
@options.as_json
def show_(account_id: str, limit: int, data_dir: Path, as_json: bool) -> None:
    """Show the newest movements of an account's credits, newest first."""
    rows = with_store(data_dir, lambda store: newest_entries(store, account_id, limit))
    if not as_json:
        rows = [{**row, "bucket": bucket_text(row["bucket"])} for row in rows]
    show(rows, as_json=as_json, columns=ENTRY_COLUMNS)
