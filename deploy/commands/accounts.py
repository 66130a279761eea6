"""`headrace account`: who owns workflows and executions."""

from pathlib import Path

import click

from deploy.commands import options
from deploy.output import show

TIERS = ("free", "creator", "pro", "business", "enterprise")
COLUMNS = ("id", "email", "tier", "role", "approved", "createdAt")


@click.group()
def account() -> None:
    """Create, approve, move and list accounts."""


@account.command()
@click.option("--email", required=True)
@click.option("--tier", type=click.Choice(TIERS), required=True)
@click.option("--role", type=click.Choice(("user", "admin")), default="user", show_default=True)
@click.option("--unapproved", is_flag=True, help="It may read, but run nothing yet.")
@options.data_dir
@options.as_json
def create(
    email: str, tier: str, role: str, unapproved: bool, data_dir: Path, as_json: bool
) -> None:
    """Create an account."""
    from deploy.records import account_row
    from deploy.store_access import with_store
    from engine.capabilities import Role, Tier
    from engine.store import Account, Store

    async def work(store: Store) -> Account:
        return await store.accounts.create(
            email=email, tier=Tier(tier), role=Role(role), approved=not unapproved
        )

    show(account_row(with_store(data_dir, work)), as_json=as_json, columns=COLUMNS)


@account.command()
@click.argument("account_id", metavar="ID")
@options.data_dir
@options.as_json
def approve(account_id: str, data_dir: Path, as_json: bool) -> None:
    """Let an account run workflows, from its very next request on."""
    from deploy.records import account_row
    from deploy.store_access import with_store

    approved = with_store(data_dir, lambda store: store.accounts.approve(account_id))
    show(account_row(approved), as_json=as_json, columns=COLUMNS)


@account.command("tier")
@click.argument("account_id", metavar="ID")
@click.argument("tier", metavar="TIER", type=click.Choice(TIERS))
@options.data_dir
@options.as_json
def set_tier(account_id: str, tier: str, data_dir: Path, as_json: bool) -> None:
    """Move an account to a tier, from its very next request on."""
    from deploy.records import account_row
    from deploy.store_access import with_store
    from engine.capabilities import Tier

    moved = with_store(data_dir, lambda store: store.accounts.set_tier(account_id, Tier(tier)))
    show(account_row(moved), as_json=as_json, columns=COLUMNS)


@account.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path, as_json: bool) -> None:
    """List all accounts, oldest first."""
    from deploy.records import account_row
    from deploy.store_access import with_store

    found = with_store(data_dir, lambda store: store.accounts.list())
    show([account_row(account) for account in found], as_json=as_json, columns=COLUMNS)
