"""Pages of a ledger: the newest entries and their total number."""

import time

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.store import Account, LedgerEntry, Store

PRO = load().terms(Tier.PRO, Role.USER)


async def test_a_ledger_is_read_from_its_newest_entry(store: Store, account: Account) -> None:
    before = time.time() * 1000
    for credits in (10, 20, 30):
        await store.wallets.top_up(account.id, PRO, credits, operation=f"op-{credits}")

    page = await store.wallets.entries(account.id, 2)

    newest, _ = page.entries
    assert page.total == 4
    assert [entry.credits for entry in page.entries] == [30, 20]
    assert abs(newest.at - before) < 10_000
    assert newest == LedgerEntry(
        at=newest.at,
        kind="top-up",
        bucket="t0.op-30",
        credits=30,
        reserved=0,
        balance=5_060,
        execution_id=None,
        node=None,
    )


async def test_an_account_without_movements_has_no_entries(store: Store, account: Account) -> None:
    page = await store.wallets.entries(account.id, 10)

    assert (page.entries, page.total) == ((), 0)
