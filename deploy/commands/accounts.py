"""`headrace account`: owners of workflows and executions, and their credits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from deploy.admin.ledgers import (
    account_with_balance,
    accounts_with_balances,
    create_account,
    credit_account,
)
from deploy.commands import options
from deploy.commands.lazy_group import LazyGroup
from deploy.output.tables import show
from deploy.stack.store_access import with_store
from engine.access.capabilities import Role, Tier
from engine.store import Store

TIERS = ("free", "creator", "pro", "business", "enterprise")
ROLES = ("user", "admin")
COLUMNS = ("id", "email", "tier", "role", "approved", "balance", "createdAt")


@click.group(
    cls=LazyGroup,
    lazy={
        "erase": (
            "erase:erase",
            "Erase an account with its keys, workflows, media and history, for good.",
        )
    },
)
def account() -> None:
    """Create, approve, move, credit and list accounts."""


@account.command()
@click.option("--email", required=True)
@click.option("--tier", type=click.Choice(TIERS), required=True)
@click.option("--role", type=click.Choice(ROLES), default="user", show_default=True)
@click.option("--unapproved", is_flag=True, help="It may read, but write and run nothing yet.")
@click.option(
    "--credits",
    type=options.CREDITS,
    metavar="N",
    help="Credits that do not expire, beside the allowance of its tier.",
)
@options.data_dir
@options.as_json
def create(
    email: str,
    tier: str,
    role: str,
    unapproved: bool,
    credits: int | None,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Create an account."""

    async def work(store: Store) -> dict[str, Any]:
        return await create_account(
            store,
            email=email,
            tier=Tier(tier),
            role=Role(role),
            approved=not unapproved,
            credits=credits,
        )

    _show(with_store(data_dir, work), as_json)


@account.command()
@click.argument("account_id", metavar="ID")
@options.data_dir
@options.as_json
def approve(account_id: str, data_dir: Path, as_json: bool) -> None:
    """Let an account run workflows, from its very next request on."""

    async def work(store: Store) -> dict[str, Any]:
        return await account_with_balance(store, await store.accounts.approve(account_id))

    _show(with_store(data_dir, work), as_json)


@account.command("tier")
@click.argument("account_id", metavar="ID")
@click.argument("tier", metavar="TIER", type=click.Choice(TIERS))
@options.data_dir
@options.as_json
def set_tier(account_id: str, tier: str, data_dir: Path, as_json: bool) -> None:
    """Move an account to a tier, from its very next request on."""

    async def work(store: Store) -> dict[str, Any]:
        moved = await store.accounts.set_tier(account_id, Tier(tier))
        return await account_with_balance(store, moved)

    _show(with_store(data_dir, work), as_json)


@account.command("role")
@click.argument("account_id", metavar="ID")
@click.argument("role", metavar="ROLE", type=click.Choice(ROLES))
@options.data_dir
@options.as_json
def set_role(account_id: str, role: str, data_dir: Path, as_json: bool) -> None:
    """Make an account an admin or a user, from its very next request on; the last admin stays."""

    async def work(store: Store) -> dict[str, Any]:
        changed = await store.accounts.change(account_id, role=Role(role))
        return await account_with_balance(store, changed)

    _show(with_store(data_dir, work), as_json)


@account.command()
@click.argument("account_id", metavar="ID")
@click.argument("credits", metavar="N", type=options.CREDITS)
@click.option("--note", default="", metavar="TEXT", help="The reason, for the audit log.")
@options.expires("they are gone")
@options.data_dir
@options.as_json
def credit(
    account_id: str,
    credits: int,
    note: str,
    expires: datetime | None,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Top an account up with N credits."""
    expires_at = options.milliseconds(expires)
    topped_up = with_store(
        data_dir, lambda store: credit_account(store, account_id, credits, expires_at, note)
    )
    _show(topped_up, as_json)


@account.command("list")
@options.data_dir
@options.as_json
def list_(data_dir: Path, as_json: bool) -> None:
    """List all accounts, oldest first, with what they can spend."""
    _show(with_store(data_dir, accounts_with_balances), as_json)


def _show(accounts: Mapping[str, Any] | Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        show(accounts, as_json=True, columns=())
        return
    rows = [accounts] if isinstance(accounts, Mapping) else accounts
    show([{**row, **row["credits"]} for row in rows], as_json=False, columns=COLUMNS)
