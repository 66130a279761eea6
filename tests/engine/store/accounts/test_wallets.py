"""Wallets: monthly allowances, top-ups, the order of spending, and a ledger that adds up."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.settings import Settings
from engine.store import Account, Store, TopUp
from engine.store.accounts.wallets import LedgerKeeping, Wallets, terms_text
from engine.store.archive.entries import ArchivedEntries, StreamPosition
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.script_scenarios import NO_ACT

DAY_MS = 86_400_000
MONTH_MS = 30 * DAY_MS
KEEP_MS = 100_000 * DAY_MS
"""Entries have Redis's times, so a test ahead of it must keep them longer."""
PRO = load().terms(Tier.PRO, Role.USER)
FREE = load().terms(Tier.FREE, Role.USER)
ENTERPRISE = load().terms(Tier.ENTERPRISE, Role.USER)


def ms(text: str) -> int:
    """Return a time in UTC as milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def later(days: int) -> str:
    """Return the time in so many days."""
    return (datetime.now(UTC) + timedelta(days=days)).replace(tzinfo=None).isoformat()


class WalletReader:
    """Wallet of one account at times of the test's choice."""

    def __init__(self, store: Store, account: Account) -> None:
        self.client = store.client
        self.account = account
        self.wallet_key, self.ledger_key = keyspace.wallet(account.id), keyspace.ledger(account.id)

    async def read(self, now: str, terms: TierTerms = PRO) -> dict[str, int]:
        """Return the remaining credits by bucket."""
        words = terms_text(terms, LedgerKeeping(milliseconds=KEEP_MS, has_history=True))
        reply = await self.client.call(
            SCRIPTS["read_wallet"],
            wallet=self.wallet_key,
            ledger=self.ledger_key,
            now=ms(now),
            terms=words,
        )
        return {reply[i].decode(): int(reply[i + 1]) for i in range(2, len(reply), 2)}

    async def top_up(
        self,
        now: str,
        credits: int,
        expires: str | None = None,
        *,
        keep_ms: int = KEEP_MS,
        has_history: bool = True,
    ) -> Any:
        """Add credits."""
        words = terms_text(PRO, LedgerKeeping(milliseconds=keep_ms, has_history=has_history))
        return await self.client.call(
            SCRIPTS["top_up"],
            wallet=self.wallet_key,
            ledger=self.ledger_key,
            audit="audit",
            now=ms(now),
            operation=uuid.uuid4().hex,
            credits=credits,
            lapses_at=ms(expires) if expires else 0,
            terms=words,
            act=NO_ACT,
        )

    async def entries(self) -> Any:
        """Return the entries of the stream, oldest first."""
        return await self.client.send("XRANGE", self.ledger_key, "-", "+")

    async def entries_of_top_ups(self, count: int) -> Any:
        """Make top-ups now; return the entries of the stream."""
        for _ in range(count):
            await self.top_up(later(0), 10)
        return await self.entries()

    async def ledger(self) -> list[dict[str, str]]:
        """Return the entries, oldest first."""
        return [
            {words[i].decode(): words[i + 1].decode() for i in range(0, len(words), 2)}
            for _, words in await self.entries()
        ]


@pytest.fixture
def wallet(store: Store, account: Account) -> WalletReader:
    return WalletReader(store, account)


async def test_the_allowance_is_there_from_the_start_and_comes_anew_with_the_month(
    wallet: WalletReader,
) -> None:
    january = await wallet.read("2027-01-31T23:59:59.999")
    february = await wallet.read("2027-02-01T00:00:00")

    assert january == {f"m{ms('2027-02-01')}": 5_000}
    assert february == {f"m{ms('2027-03-01')}": 5_000}
    assert [(entry["kind"], entry["credits"]) for entry in await wallet.ledger()] == [
        ("allowance", "5000"),
        ("lapse", "-5000"),
        ("allowance", "5000"),
    ]


async def test_an_allowance_that_is_given_once_stays_and_never_comes_again(
    wallet: WalletReader,
) -> None:
    first = await wallet.read("2027-01-10", FREE)
    years_later = await wallet.read("2031-07-10", FREE)

    assert first == years_later == {"m0": 250}


async def test_without_an_allowance_there_is_nothing_but_top_ups(wallet: WalletReader) -> None:
    assert await wallet.read("2027-01-10", ENTERPRISE) == {}
    assert await wallet.ledger() == []


async def test_a_higher_tier_adds_its_difference_at_once_until_the_same_end(
    wallet: WalletReader,
) -> None:
    business = load().terms(Tier.BUSINESS, Role.USER)
    await wallet.read("2027-01-10")

    assert await wallet.read("2027-01-20", business) == {f"m{ms('2027-02-01')}": 11_329}


async def test_changing_tiers_to_and_fro_gives_nothing_twice(wallet: WalletReader) -> None:
    await wallet.read("2027-01-10", FREE)

    paid = await wallet.read("2027-01-11", PRO)
    back = await wallet.read("2027-01-12", FREE)
    again = await wallet.read("2027-01-13", PRO)

    assert paid == again == {f"m{ms('2027-02-01')}": 5_000}
    assert back == {"m0": 250}


async def test_a_month_that_ends_with_the_paid_tier_leaves_nothing_behind(
    wallet: WalletReader,
) -> None:
    await wallet.read("2027-01-10", PRO)

    assert sum((await wallet.read("2027-02-10", FREE)).values()) == 0


async def test_a_top_up_lapses_at_its_time_and_one_without_a_time_never(
    wallet: WalletReader,
) -> None:
    await wallet.top_up("2027-01-01", 70, "2027-01-05")
    await wallet.top_up("2027-01-01", 30)

    before = await wallet.read("2027-01-04T23:59:59.999")
    after = await wallet.read("2027-01-05")

    assert sum(before.values()) == 5_000 + 100
    assert sum(after.values()) == 5_000 + 30


async def test_a_top_up_of_the_past_is_refused(wallet: WalletReader) -> None:
    assert await wallet.top_up("2027-01-05", 70, "2027-01-05") == [b"late"]


async def test_more_than_can_be_counted_is_refused(wallet: WalletReader) -> None:
    await wallet.top_up("2027-01-01", 2**53 - 1 - 5_000)

    assert await wallet.top_up("2027-01-01", 1) == [b"many"]


async def test_reserved_credits_count_since_they_may_come_back(wallet: WalletReader) -> None:
    await wallet.top_up("2027-01-01", 2**53 - 1 - 5_000 - 10)
    await wallet.client.send("HSET", wallet.wallet_key, "reserved", 10)

    assert await wallet.top_up("2027-01-01", 1) == [b"many"]


async def test_top_ups_are_listed_in_spending_order(wallet: WalletReader) -> None:
    for credits, expires in ((1, None), (2, "2027-09-01"), (3, "2027-06-01")):
        await wallet.top_up("2027-01-01", credits, expires)

    assert list((await wallet.read("2027-01-02")).values()) == [5_000, 3, 2, 1]


@pytest.mark.parametrize("archived", [0, 3, 20])
async def test_old_entries_that_are_archived_are_folded_and_the_ledger_still_adds_up(
    store: Store, account: Account, wallet: WalletReader, archived: int
) -> None:
    entries = await wallet.entries_of_top_ups(20)
    if archived:
        last = StreamPosition.parse(entries[archived - 1][0].decode())
        await ArchivedEntries(store.client).mark_ledger(account.id, last)

    for _ in range(10):
        await wallet.top_up(later(31), 7, keep_ms=MONTH_MS)

    assert (await wallet.entries())[0] == entries[archived]
    assert await store.wallets.check(account.id) == []


@pytest.mark.parametrize(("days", "left_over"), [(31, 0), (29, 20)])
async def test_without_a_history_entries_are_folded_by_their_age(
    store: Store, account: Account, wallet: WalletReader, days: int, left_over: int
) -> None:
    entries = await wallet.entries_of_top_ups(20)

    for _ in range(10):
        await wallet.top_up(later(days), 7, keep_ms=MONTH_MS, has_history=False)

    left = await wallet.entries()
    assert len([each for each in entries[:20] if each in left]) == left_over
    assert await store.wallets.check(account.id) == []


async def test_entries_that_the_history_lacks_are_not_folded_by_a_process_without_its_address(
    store: Store, account: Account, wallet: WalletReader
) -> None:
    entries = await wallet.entries_of_top_ups(20)
    last = StreamPosition.parse(entries[4][0].decode())
    await ArchivedEntries(store.client).mark_ledger(account.id, last)

    for _ in range(10):
        await wallet.top_up(later(31), 7, keep_ms=MONTH_MS, has_history=False)

    assert (await wallet.entries())[0] == entries[5]


@pytest.mark.parametrize(
    ("url", "keep_ms"), [("", 2 * DAY_MS), ("sqlite:///history.sqlite", 30_000)]
)
def test_redis_keeps_entries_that_the_history_has_as_long_as_executions(
    url: str, keep_ms: int
) -> None:
    keeping = LedgerKeeping.from_settings(
        Settings(database_url=url, retention_days=2, hot_minutes=0.5)
    )

    assert keeping == LedgerKeeping(milliseconds=keep_ms, has_history=bool(url))


@pytest.mark.A30
async def test_the_same_operation_adds_its_credits_once(store: Store, account: Account) -> None:
    for _ in range(2):
        await store.wallets.top_up(account.id, PRO, 40, operation="invoice-7")

    wallet = await store.wallets.get(account.id, PRO)

    assert (wallet.balance, wallet.allowance) == (5_040, 5_000)
    assert wallet.top_ups == (TopUp(credits=40, expires_at=None),)
    assert wallet.reserved == 0
    assert wallet.refreshed_at is not None


async def test_an_operation_is_known_for_as_long_as_the_ledger_is_kept(
    store: Store, account: Account
) -> None:
    await store.wallets.top_up(account.id, PRO, 5, operation="invoice-7")

    known_ms = await store.client.send("PTTL", keyspace.top_up(account.id, "invoice-7"))
    assert 29 * DAY_MS < known_ms <= 30 * DAY_MS


async def test_an_operation_is_known_for_a_day_however_short_the_ledger_is_kept(
    store: Store, account: Account
) -> None:
    keeping = LedgerKeeping(milliseconds=1_000, has_history=True)
    wallets = Wallets(store.client, keeping, store.audit)

    await wallets.top_up(account.id, PRO, 40, operation="invoice-7")

    known_ms = await store.client.send("PTTL", keyspace.top_up(account.id, "invoice-7"))
    assert DAY_MS - 60_000 < known_ms <= DAY_MS


@pytest.mark.parametrize("credits", [0, -1, 1.5, float("nan"), 2**53, True, "5"])
async def test_an_amount_that_is_none_is_refused(
    store: Store, account: Account, credits: Any
) -> None:
    with pytest.raises(ValueError, match="whole number"):
        await store.wallets.top_up(account.id, PRO, credits)


async def test_a_balance_that_is_not_the_ledgers_sum_is_found(
    store: Store, account: Account, wallet: WalletReader
) -> None:
    await store.wallets.top_up(account.id, PRO, 40)
    assert await store.wallets.check(account.id) == []

    await store.client.send("HINCRBY", wallet.wallet_key, "b:t0.made-up", 5)
    await store.client.send("HINCRBY", wallet.wallet_key, "reserved", 3)

    assert await store.wallets.check(account.id) == [
        "bucket t0.made-up: ledger 0, wallet 5",
        "reserved: ledger 0, wallet 3, executions 0",
    ]


async def test_months_end_as_in_the_calendar(store: Store) -> None:
    draw = random.Random(7).randrange
    moments = [datetime.fromtimestamp(draw(0, ms("2199-12-31") // 1000), UTC) for _ in range(500)]
    edges = [
        datetime(year, month, 28, 23, tzinfo=UTC) for year in (2000, 2100) for month in (2, 12)
    ]
    turns = [datetime(2028, 3, 1, tzinfo=UTC), datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)]

    for number, moment in enumerate([*moments, *edges, *turns]):
        reply = await store.client.call(
            SCRIPTS["read_wallet"],
            wallet=f"wallet{number}",
            ledger=f"ledger{number}",
            now=int(moment.timestamp()) * 1000,
            terms=f"1:0:{KEEP_MS}",
        )
        ends = (moment.replace(day=1) + timedelta(days=32)).replace(
            day=1, hour=0, minute=0, second=0
        )
        assert reply[2].decode() == f"m{int(ends.timestamp()) * 1000}", moment
