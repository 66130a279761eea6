"""Balances and ledgers of accounts, for the administrative commands."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.output.problems import CommandFailed
from deploy.output.rows import account_row, entry_row, ledger_row
from engine.access.capabilities import Role, Tier
from engine.billing.credits import MAX_CREDITS
from engine.errors import EngineError
from engine.history.errors import HistoryUnavailable
from engine.store import Account, Store
from gateway.runs.node_names import node_names

Row = dict[str, Any]


async def account_with_balance(store: Store, account: Account) -> Row:
    """Return the account and its balance, with an allowance that is due."""
    terms = store.tiers.terms(account.tier, account.role)
    wallet = await store.wallets.get(account.id, terms)
    return account_row(account, wallet.balance)


async def accounts_with_balances(store: Store) -> Sequence[Row]:
    """Return every account with its balance, oldest first."""
    accounts = await store.accounts.list()
    return await asyncio.gather(*(account_with_balance(store, account) for account in accounts))


async def create_account(
    store: Store, *, email: str, tier: Tier, role: Role, approved: bool, credits: int | None
) -> Row:
    """Create an account, optionally with credits that do not lapse. Raises CommandFailed."""
    terms = store.tiers.terms(tier, role)
    most = MAX_CREDITS - terms.allowance
    if credits is not None and credits > most:
        # Checked before the account exists, since without its credits it would be of no use.
        raise CommandFailed(f"Beside the allowance of '{tier}' there is room for {most} credits.")
    account = await store.accounts.create(email=email, tier=tier, role=role, approved=approved)
    if credits is not None:
        await store.wallets.top_up(account.id, terms, credits)
    return await account_with_balance(store, account)


async def credit_account(
    store: Store, account_id: str, credits: int, expires_at: int | None, note: str
) -> Row:
    """Add credits. Raises AccountNotFound or ValueError."""
    account = await store.accounts.get(account_id)
    terms = store.tiers.terms(account.tier, account.role)
    await store.wallets.top_up(account.id, terms, credits, expires_at=expires_at, note=note)
    return await account_with_balance(store, account)


async def check_ledgers(store: Store, account_id: str | None) -> list[Row]:
    """Check the ledger of one account, or of all; return the results. Raises AccountNotFound."""
    if account_id is None:
        accounts = await store.accounts.list()
    else:
        accounts = [await store.accounts.get(account_id)]
    return [await _check(store, account) for account in accounts]


async def newest_entries(store: Store, account_id: str, limit: int) -> list[Row]:
    """Return the newest entries of an account's ledger, newest first. Raises AccountNotFound."""
    account = await store.accounts.get(account_id)
    entries = [entry for _, entry in (await store.ledgers.page(account.id, limit=limit)).entries]
    charged = {entry.execution_id or "" for entry in entries if entry.node is not None}
    ids = {each: await _node_ids(store, account.id, each) for each in charged}
    return [entry_row(entry, ids.get(entry.execution_id or "", {})) for entry in entries]


async def _node_ids(store: Store, account_id: str, execution_id: str) -> Mapping[int, str]:
    """Return the ids of an execution's nodes by index; none when it or its workflow is gone."""
    try:
        execution = await store.executions.facts(account_id, execution_id)
        names = await node_names(store, account_id, execution.id, execution)
    except EngineError:
        return {}
    return {index: name.id for index, name in enumerate(names)}


async def _check(store: Store, account: Account) -> Row:
    terms = store.tiers.terms(account.tier, account.role)
    wallet = await store.wallets.get(account.id, terms)
    faults = await store.wallets.check(account.id)
    try:
        faults += await store.ledgers.check(account.id)
    except HistoryUnavailable:
        faults.append("the history cannot be read now")
    page = await store.wallets.entries(account.id, 1)
    return ledger_row(account.id, page.total, wallet.balance, faults)
