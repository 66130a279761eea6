"""Wallets of running executions: changes of the tier, and very large numbers."""

from dataclasses import replace
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.acceptance import acceptance
from tests.support.store.script_runner import with_keys

PRO = load().terms(Tier.PRO, Role.USER)
BUSINESS = load().terms(Tier.BUSINESS, Role.USER)
CREATOR = load().terms(Tier.CREATOR, Role.USER)
KEEP_MS = 30 * 86_400_000


class Spender:
    """Runs of one account, each of one charged node, by their scripts."""

    def __init__(self, store: Store, account: Account) -> None:
        self.store = store
        self.account = account
        self._steps: dict[str, int] = {}

    async def accept(self, name: str, credits: int, terms: TierTerms) -> bytes:
        """Accept a run and have a worker claim it; return the verdict."""
        words = f"{terms.allowance}:{int(terms.allowance_once)}:{KEEP_MS}"
        wallet, ledger = self._wallet
        names = acceptance(
            name,
            active=keyspace.active(self.account.id),
            wallet=wallet,
            ledger=ledger,
            credits=credits,
            terms=words,
            trials="",
        )
        accept_execution = SCRIPTS["accept_execution"]
        reply = await self.store.client.call(accept_execution, **names)
        if reply[0] == b"ok":
            await self._call("claim_execution", name, token="token", worker="w1")
        return bytes(reply[0])

    async def advance(self, name: str, **step: Any) -> bytes:
        """Return the verdict on a step, with the names of the script's arguments."""
        number = self._steps.get(name, 0) + 1
        reply = await self._call(
            "advance_execution",
            name,
            active=keyspace.active(self.account.id),
            wallet=keyspace.wallet(self.account.id),
            ledger=keyspace.ledger(self.account.id),
            execution_id=name,
            claim="1:token",
            step=number,
            **step,
        )
        if reply[0] == b"ok":
            self._steps[name] = number
        return bytes(reply[0])

    async def _call(self, script_name: str, name: str, **names: Any) -> Any:
        given = {"execution": name, "reference": name, **names}
        script = SCRIPTS[script_name]
        return await self.store.client.call(script, **with_keys(script, given))

    async def spend(self, name: str, credits: int, terms: TierTerms) -> None:
        """Complete a run with this charge."""
        assert await self.accept(name, credits, terms) == b"ok"
        await self.advance(name, claimed="0", reservations=f"0={credits}")
        await self.advance(name, settled="0c", charges=f"0={credits}:1:", end_status="completed")

    @property
    def _wallet(self) -> list[str]:
        return [keyspace.wallet(self.account.id), keyspace.ledger(self.account.id)]

    async def balance(self, terms: TierTerms) -> int:
        """Return the balance on these terms."""
        return (await self.store.wallets.get(self.account.id, terms)).balance


@pytest.fixture
def spender(store: Store, account: Account) -> Spender:
    return Spender(store, account)


async def test_a_lower_tier_and_back_gives_no_more_than_the_higher_one_has(
    spender: Spender,
) -> None:
    await spender.spend("x", 4_000, PRO)

    lower = await spender.balance(CREATOR)
    back = await spender.balance(PRO)

    assert (lower, back) == (0, 1_000)


@pytest.mark.A29
async def test_a_run_that_costs_one_credit_more_than_the_balance_is_refused(
    spender: Spender,
) -> None:
    await spender.accept("x", PRO.allowance - 4, PRO)

    verdicts = [await spender.accept("y", 5, PRO), await spender.accept("z", 4, PRO)]

    assert verdicts == [b"insufficient", b"ok"]
    assert await spender.balance(PRO) == 0


@pytest.mark.A30
async def test_a_charge_beyond_what_is_reserved_takes_no_more(
    spender: Spender, store: Store
) -> None:
    await spender.accept("x", 100, PRO)
    await spender.advance("x", claimed="0", reservations="0=100")

    await spender.advance("x", settled="0c", charges="0=140:1:", end_status="completed")

    assert await store.client.send("HGET", "x", "spent") == b"100"
    assert await spender.balance(PRO) == PRO.allowance - 100


@pytest.mark.F49
async def test_credits_reserved_before_a_lower_tier_lapse_beyond_its_allowance(
    spender: Spender,
) -> None:
    await spender.accept("x", 5_000, PRO)
    fallen = await spender.balance(CREATOR)

    await spender.advance("x", end_status="failed")

    assert fallen == 0
    assert await spender.balance(CREATOR) == 1_700
    assert await spender.balance(PRO) == 5_000


async def test_a_run_accepted_on_a_lower_tier_does_not_turn_the_allowance_back(
    spender: Spender,
) -> None:
    await spender.accept("x", 100, PRO)
    await spender.balance(BUSINESS)

    verdict = await spender.advance("x", claimed="0", reservations="0=6000")

    assert verdict == b"ok"
    assert await spender.balance(BUSINESS) == BUSINESS.allowance - 6_000


async def test_a_run_accepted_on_a_higher_tier_cannot_spend_its_allowance_any_more(
    spender: Spender,
) -> None:
    await spender.accept("x", 100, BUSINESS)
    await spender.balance(CREATOR)

    verdict = await spender.advance("x", claimed="0", reservations="0=3000")

    assert verdict == b"insufficient"
    assert await spender.balance(CREATOR) == CREATOR.allowance - 100


async def test_thousands_of_top_ups_are_kept_spent_and_given_back(
    spender: Spender, store: Store, account: Account
) -> None:
    none = replace(PRO, allowance=0)
    buckets = [part for number in range(5_000) for part in (f"b:t0.o{number:05}", 1)]
    entry = ("kind", "top-up", "credits", 1, "reserved", 0, "balance", 1, "bucket")
    for start in range(0, len(buckets), 1_000):
        await store.client.send(
            "HSET", keyspace.wallet(account.id), *buckets[start : start + 1_000]
        )
    for bucket in buckets[::2]:
        await store.client.send("XADD", keyspace.ledger(account.id), "*", *entry, bucket[2:])

    await spender.accept("x", 4_990, none)
    assert await spender.balance(none) == 10
    await spender.advance("x", claimed="0", reservations="0=4990")
    await spender.advance("x", settled="0c", charges="0=4000:1:", end_status="completed")

    assert await spender.balance(none) == 1_000
    assert await store.wallets.check(account.id) == []


async def test_top_ups_that_are_spent_leave_nothing_behind_and_are_not_added_again(
    spender: Spender, store: Store, account: Account
) -> None:
    none = replace(PRO, allowance=0)
    operations = [f"order-{number}" for number in range(20)]
    for operation in operations:
        await store.wallets.top_up(account.id, none, 7, operation=operation)
    before = await spender.balance(none)

    await spender.spend("x", 140, none)
    for operation in operations:
        await store.wallets.top_up(account.id, none, 7, operation=operation)

    facts = await store.client.send("HKEYS", keyspace.wallet(account.id))
    assert before == 140
    assert await spender.balance(none) == 0
    assert [name for name in facts if name.startswith(b"b:t")] == []
    assert await store.wallets.check(account.id) == []


@pytest.mark.F49
async def test_reserved_credits_return_to_a_spent_top_up(
    spender: Spender, store: Store, account: Account
) -> None:
    none = replace(PRO, allowance=0)
    await store.wallets.top_up(account.id, none, 30, operation="order-1")

    await spender.accept("x", 30, none)
    await spender.advance("x", claimed="0", reservations="0=30")
    await spender.advance("x", settled="0c", charges="0=10:1:", end_status="completed")

    wallet = await store.wallets.get(account.id, none)
    assert [top_up.credits for top_up in wallet.top_ups] == [20]
    assert wallet.allowance == 0
    assert await store.wallets.check(account.id) == []


@pytest.mark.parametrize("expires_at", [0, -1, -(2**70), 1, 1.5, True, "tomorrow", 2**53])
async def test_a_time_that_is_none_or_over_is_refused_and_harms_no_wallet(
    expires_at: Any, store: Store, account: Account
) -> None:
    with pytest.raises(ValueError, match="time"):
        await store.wallets.top_up(account.id, PRO, 10, expires_at=expires_at)

    assert (await store.wallets.get(account.id, PRO)).balance == PRO.allowance


@pytest.mark.parametrize("operation", ["", "a,b", "a=1", "x\n", "a" * 65, "{}"])
async def test_an_operation_that_a_reservation_could_not_name_is_refused(
    operation: str, store: Store, account: Account
) -> None:
    with pytest.raises(ValueError, match="letters"):
        await store.wallets.top_up(account.id, PRO, 10, operation=operation)


@pytest.mark.F49
@pytest.mark.parametrize("has_waited", [True, False])
async def test_the_reserve_of_a_run_that_has_waited_lapses_with_the_allowance_of_its_month(
    has_waited: bool, spender: Spender, store: Store
) -> None:
    await spender.accept("x", 3_000, PRO)
    if has_waited:
        await store.client.send("HSET", "x", "waits", ",", "waited", "1")
    ends = int(await store.client.send("HGET", keyspace.wallet(spender.account.id), "ends"))

    verdict = await spender.advance("x", claimed="0", reservations="0=1000", now=ends + 1)

    assert verdict == b"ok"
    reserved = await store.client.send("HGET", "x", "reserved")
    [(bucket, credits)] = [each.split("=") for each in reserved.decode().split(",")]
    expected = (True, 1_000) if has_waited else (False, 3_000)
    assert (int(bucket[1:]) > ends, int(credits)) == expected
    keys = ("waits", "approvals", "child_waits", "waited", "waiting_items")
    names = {each: each for each in keys} if has_waited else {}
    charged = {"settled": "0c", "charges": "0=800:1:", "end_status": "completed"}
    assert await spender.advance("x", now=ends + 2, **charged, **names) == b"ok"
    wallet = await store.client.send("HGETALL", keyspace.wallet(spender.account.id))
    left = sum(int(value) for name, value in wallet.items() if name[:3] == b"b:m")
    assert left == (PRO.allowance - 800 if has_waited else 0)
    assert wallet[b"reserved"] == b"0"
