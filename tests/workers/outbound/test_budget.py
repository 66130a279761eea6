"""Outbound calls are counted per account, in batches, over all workers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.errors import Unavailable
from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.limits.outbound import CallAllowance
from tests.support.factories import Runner, http_fan
from tests.support.http.scripted_server import Target
from workers.main import worker
from workers.outbound import budget
from workers.outbound.budget import CallBudget
from workers.outbound.client import Egress
from workers.walk.walker import Walker

LIMITS = """
[pro]
outbound_calls_per_minute = 40
outbound_calls_per_host = 40
outbound_bytes_per_minute = 1_000_000
"""


class Counter:
    """Grants calls until none is left, and counts requests."""

    def __init__(self, left: int, seconds: float = 60.0) -> None:
        self.is_away = False
        self.left = left
        self.seconds = seconds
        self.asked: list[int] = []
        self.sent = 0

    async def lease(self, account_id: str, host: str, *, calls: int, sent: int) -> CallAllowance:
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable
        self.asked.append(calls)
        self.sent += sent
        granted = min(calls, self.left)
        self.left -= granted
        return CallAllowance(calls=granted, seconds=self.seconds)


async def take(budget: CallBudget, times: int, host: str = "a") -> int:
    """Return how many of simultaneous calls are admitted."""
    calls = (budget.count("acc", host) for _ in range(times))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [each for each in outcomes if each is not None]
    assert all(isinstance(each, NodeFailed) for each in refused)
    return times - len(refused)


async def test_a_thousand_calls_at_once_ask_a_few_times() -> None:
    counter = Counter(10_000)

    assert await take(CallBudget(counter), 1_000) == 1_000
    assert len(counter.asked) <= 8


async def test_calls_one_after_another_ask_ever_more_rarely() -> None:
    counter = Counter(10_000)
    budget = CallBudget(counter)

    for _ in range(1_000):
        await budget.count("acc", "a")

    assert counter.asked[:5] == [1, 2, 4, 8, 16]
    assert len(counter.asked) <= 12


async def test_a_host_that_is_called_once_takes_one_call() -> None:
    counter = Counter(100)
    budget = CallBudget(counter)

    for number in range(100):
        await budget.count("acc", f"host-{number}")

    assert counter.left == 0


async def test_no_more_calls_go_than_were_granted_and_refusals_do_not_ask_each() -> None:
    counter = Counter(100)

    assert await take(CallBudget(counter), 1_000) == 100
    assert counter.asked.count(0) == 0
    assert len(counter.asked) <= 4


async def test_a_lease_ends_with_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "REFUSED_SECONDS", 0.0)
    counter = Counter(1, seconds=0.0)
    watched = CallBudget(counter)

    await watched.count("acc", "a")
    counter.left = 1
    await watched.count("acc", "a")

    assert counter.asked == [1, 1]


async def test_a_refusal_holds_for_a_second_and_not_for_the_whole_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "REFUSED_SECONDS", 0.0)
    counter = Counter(0)
    watched = CallBudget(counter)

    refused = await take(watched, 1)
    counter.left = 1

    assert (refused, await take(watched, 1)) == (0, 1)


async def test_many_bytes_are_reported_before_the_next_call() -> None:
    counter = Counter(1_000)
    watched = CallBudget(counter)
    for _ in range(5):
        await take(watched, 1)
    asked = len(counter.asked)

    watched.add_bytes("acc", budget.REPORT_BYTES - 1)
    await take(watched, 1)
    few = counter.sent
    watched.add_bytes("acc", 1)
    await take(watched, 1)

    assert (few, counter.sent) == (0, budget.REPORT_BYTES)
    assert len(counter.asked) == asked + 1


async def test_a_lease_that_is_renewed_early_keeps_its_unused_calls() -> None:
    counter = Counter(1_000)
    watched = CallBudget(counter)
    for _ in range(8):  # of 1 + 2 + 4 + 8 that were leased
        await watched.count("acc", "a")
    assert counter.asked == [1, 2, 4, 8]

    watched.add_bytes("acc", budget.REPORT_BYTES)
    for _ in range(7 + 16):
        await watched.count("acc", "a")

    assert counter.asked == [1, 2, 4, 8, 16]


async def test_while_the_store_does_not_answer_calls_go_on() -> None:
    counter = Counter(0)
    counter.is_away = True

    assert await take(CallBudget(counter), 100) == 100


async def test_unreported_bytes_are_reported_with_the_next_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "UNKNOWN_SECONDS", 0.0)
    counter = Counter(1_000)
    watched = CallBudget(counter)
    watched.add_bytes("acc", 500)

    counter.is_away = True
    await take(watched, 1)
    counter.is_away = False
    await take(watched, 1)

    assert counter.sent == 500


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(LIMITS)
    return replace(settings, tiers_file=str(path))


@pytest.fixture
async def counted(store: Store) -> AsyncIterator[Egress]:
    egress = Egress(allow_private=True, leases=store.outbound)
    yield egress
    await egress.close()


async def fetched(egress: Egress, url: str, account_id: str, times: int, **more: int) -> int:
    """Return how many calls were answered."""
    call = HttpCall(method="GET", url=url, account_id=account_id, max_bytes=10_000_000, **more)
    outcomes = [await _fetch(egress, call) for _ in range(times)]
    return outcomes.count("")


async def _fetch(egress: Egress, call: HttpCall) -> str:
    try:
        await egress.fetch(call)
    except NodeFailed as failure:
        return failure.code
    return ""


async def test_calls_that_are_not_the_accounts_own_are_not_counted(target: Target) -> None:
    counter = Counter(0)
    egress = Egress(allow_private=True, leases=counter)
    url = f"{target.url}/ok"

    await egress.fetch(HttpCall(method="GET", url=url, account_id="acc", is_counted=False))
    await egress.close()

    assert (counter.asked, target.calls.total()) == ([], 1)


async def test_bytes_that_go_out_count_as_those_that_come_in(target: Target) -> None:
    counter = Counter(10, seconds=0.0)
    egress = Egress(allow_private=True, leases=counter)
    call = HttpCall(
        method="POST", url=f"{target.url}/ok", account_id="acc", body=b"x" * 50_000, max_bytes=5_000
    )

    for _ in range(2):  # the second lease tells of the first call
        await egress.fetch(call)
    await egress.close()

    assert 50_000 <= counter.sent <= 55_000


@pytest.mark.A82
async def test_two_workers_share_the_limit_of_an_account(
    store: Store, account: Account, target: Target
) -> None:
    workers = [Egress(allow_private=True, leases=store.outbound) for _ in range(2)]
    url = f"{target.url}/ok"

    counts = await asyncio.gather(*(fetched(each, url, account.id, 50) for each in workers))
    for each in workers:
        await each.close()

    assert 34 <= sum(counts) <= 40
    assert target.calls["/ok"] == sum(counts)


async def test_calls_without_an_account_are_not_counted(
    counted: Egress, account: Account, target: Target
) -> None:
    await fetched(counted, f"{target.url}/ok", account.id, 50)

    assert await fetched(counted, f"{target.url}/ok", "", 10) == 10


@pytest.mark.A82
@pytest.mark.usefixtures("young_window")
async def test_a_fan_beyond_the_limit_fails_with_a_code_that_is_worth_a_retry(
    runner: Runner, walker: Walker, target: Target
) -> None:
    execution = await runner.run(http_fan(f"{target.url}/ok", 60))

    assert {each.error["code"] for each in execution.nodes if each.error} == {"outbound_limit"}
    assert sum(target.calls.values()) <= 40


@pytest.mark.A82
@pytest.mark.usefixtures("young_window")
async def test_an_account_without_credits_is_no_way_to_flood_a_host(
    settings: Settings, runner: Runner, store: Store, target: Target, tmp_path: Path
) -> None:
    Path(settings.tiers_file).write_text(LIMITS + "allowance = 0\n")
    terms = load(settings.tiers_file).terms(Tier.PRO, Role.USER)
    slug = await runner.save(http_fan(f"{target.url}/ok", 15, retry={"attempts": 2, "backoff": 0}))

    async with worker(settings), worker(settings):
        begun = [await runner.begin(slug, terms=terms) for _ in range(15)]
        ended = await asyncio.gather(*(runner.end(each) for each in begun))
    wallet = await store.wallets.get(runner.account.id, terms)

    errors = [node.error["code"] for each in ended for node in each.nodes if node.error]
    assert wallet.balance == 0
    assert {each.credits_cost for each in ended} == {0}
    assert set(errors) == {"outbound_limit"}
    assert 30 <= sum(target.calls.values()) <= 40


async def test_no_more_accounts_are_kept_in_mind_than_are_useful(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "MAX_ACCOUNTS", 10)
    counter = Counter(1_000)
    counted = CallBudget(counter)

    for number in range(1_000):
        counted.add_bytes("acc", 1)
        counted.add_bytes(f"acc_{number}", 1)

    assert len(counted._uncounted) == 10
    await counted.count("acc", "a")
    assert counter.sent == 1_000


async def test_a_lease_that_calls_wait_for_is_kept_when_others_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "MAX_HOSTS", 2)
    counter = Counter(10, seconds=0.0)
    calls = CallBudget(counter)
    await calls.count("acc", "over")

    counter.seconds = 60.0
    waiting = asyncio.create_task(calls.count("acc", "a"))
    await asyncio.sleep(0)  # it has asked for its lease, which is granted a moment later
    await calls.count("acc", "b")
    await waiting
    await calls.count("acc", "a")

    assert counter.asked == [1, 1, 1, 2]
