"""A top-up expires, the tier changes and the month ends while 200 runs have reserved credits."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from engine.access.capabilities import Role, Tier
from engine.access.tiers import TierTerms, load
from engine.billing.credits import LedgerKind
from engine.media.objects import ObjectStore
from engine.models.registry import use_models
from engine.store import Account, CompletionNotifier, LedgerEntry, Store
from engine.store.redis.address import RedisAddress
from tests.support.acceptance.truncated_redis import cut_settings
from tests.support.eventually import eventually
from tests.support.factories import Graph, Runner
from tests.support.failover.absence import Note
from tests.support.http.scripted_server import Target, serving
from tests.support.manifests import ANSWER, model
from tests.support.redis.installation import SECRET_KEY
from tests.support.redis.stepped_clock import SteppedRedis
from workers.main import worker

RUNS = 200
QUICK = 4
"""Each so manieth run ends before anything changes."""
TOP_UP_SECONDS, MONTH_SECONDS = 30, 36
"""Time from the start until a top-up expires, and until the month ends."""
DAY_MS = 86_400_000
END_SECONDS = 90.0
TIERS = """
[pro]
allowance = 1_500
executions_at_once = "unlimited"
outbound_calls_per_minute = "unlimited"
outbound_calls_per_host = "unlimited"
"""


class HeldTarget(Target):
    """Answers with a text; calls of `/held/…` once they are released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/held/"):
            await self.released.wait()
        return web.Response(text="Number")


@dataclass
class Payer:
    """One account, and the moments at which its credits change, in milliseconds."""

    store: Store
    account: Account
    terms: TierTerms
    top_up_ends: int
    month_ends: int

    async def now(self) -> int:
        return int(await self.store.leases.now())

    async def reserved(self, terms: TierTerms) -> int:
        """Return the reserved credits of a wallet that agrees with its ledger."""
        wallet = await self.store.wallets.get(self.account.id, terms)
        assert await self.store.wallets.check(self.account.id) == []
        return wallet.reserved

    async def buy(self) -> list[str]:
        """Add credits in three top-ups; return all buckets in the order of their spending."""
        expiries = {"never": None, "later": self.month_ends + 9 * DAY_MS, "soon": self.top_up_ends}
        for name, expires_at in expiries.items():
            credits = 9_000 if expires_at is None else 500
            await self.store.wallets.top_up(
                self.account.id, self.terms, credits, expires_at=expires_at, operation=name
            )
        ends = {name: expires_at or 0 for name, expires_at in expiries.items()}
        tops = [f"t{ends[name]}.{name}" for name in ("soon", "later", "never")]
        return [f"m{self.month_ends}", *tops]

    async def entries(self) -> list[LedgerEntry]:
        """Return all movements, the oldest first."""
        page = await self.store.wallets.entries(self.account.id, 100 * RUNS)
        return list(reversed(page.entries))


@pytest.fixture(autouse=True)
def own_model() -> Iterator[None]:
    with use_models([model(call=ANSWER)]):
        yield


@contextlib.asynccontextmanager
async def paying(server: SteppedRedis, folder: Path) -> AsyncIterator[tuple[Payer, Runner]]:
    """Run a worker at the end of a month."""
    (folder / "tiers.toml").write_text(TIERS)
    settings = replace(
        cut_settings(server.url, folder, SECRET_KEY), tiers_file=str(folder / "tiers.toml")
    )
    now = datetime.now(UTC)
    month = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    server.step((month - now).total_seconds() - MONTH_SECONDS)
    month_ends = int(month.timestamp() * 1_000)
    top_up_ends = month_ends - (MONTH_SECONDS - TOP_UP_SECONDS) * 1_000
    async with contextlib.AsyncExitStack() as stack:
        store = Store.open(settings, ObjectStore.from_settings(settings))
        stack.push_async_callback(store.close)
        account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
        terms = load(settings.tiers_file).terms(Tier.PRO, Role.USER)
        address = RedisAddress.parse(server.url)
        notifier = await stack.enter_async_context(CompletionNotifier.open(address))
        await stack.enter_async_context(worker(settings))
        payer = Payer(store, account, terms, top_up_ends, month_ends)
        yield payer, Runner(store, account, notifier)


def called_and_paid(url: str) -> Graph:
    """Return a call, and a charged node behind it."""
    graph = Graph("path").node(
        "call", "httpRequest", url=f"{url}{{{{ path }}}}", method="POST", timeoutSeconds=200
    )
    graph.node("paid", "customModel", model="own").node("out", "responseOutput")
    graph.wire("in.path > call.path", "call.response-out > paid.prompt-in")
    return graph.wire("paid.text-out > out.result-in")


@pytest.mark.F49
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_open_runs_are_paid_from_what_they_have_reserved(
    stepped: SteppedRedis, tmp_path: Path, record_property: Note
) -> None:
    target = HeldTarget()
    async with serving(target), paying(stepped, tmp_path) as (payer, runner):
        buckets = await payer.buy()
        slug = await runner.save(called_and_paid(target.url))
        ids = [await begin(runner, payer, slug, number) for number in range(RUNS)]
        for number in range(0, RUNS, QUICK):
            await runner.end(ids[number])
        assert await payer.now() < payer.top_up_ends, "the machine is too slow for this test"
        reserves = [each for each in await payer.entries() if each.kind == LedgerKind.RESERVE]

        held = [await payer.reserved(payer.terms)]
        await reach(payer, payer.top_up_ends)
        held.append(await payer.reserved(payer.terms))
        await payer.store.accounts.set_tier(payer.account.id, Tier.BUSINESS)
        terms = payer.store.tiers.terms(Tier.BUSINESS, Role.USER)
        held.append(await payer.reserved(terms))
        await reach(payer, payer.month_ends)
        held.append(await payer.reserved(terms))
        target.released.set()
        ended = [await runner.end(each, END_SECONDS) for each in ids]

        assert len(set(held)) == 1
        assert await payer.reserved(terms) == 0
        costs = {each.id: each.credits_cost for each in ended}
        check_order(reserves, buckets)
        check_charges(await payer.entries(), costs, payer)
    assert {each.status.value for each in ended} == {"completed"}
    record_property("executions", len(ended))
    record_property("reserved_at_each_change_credits", held[0])


async def begin(runner: Runner, payer: Payer, slug: str, number: int) -> str:
    path = f"/{'held' if number % QUICK else 'quick'}/{number}"
    return await runner.begin(slug, {"path": path}, terms=payer.terms)


async def reach(payer: Payer, moment: int) -> None:
    """Wait until Redis's clock is past a moment."""
    await eventually(payer.now, lambda now: now > moment, timeout=60, pause=0.1)


def check_order(reserves: list[LedgerEntry], buckets: list[str]) -> None:
    """Check that the allowance was reserved first, and then top-ups by their expiry."""
    places = [buckets.index(each.bucket) for each in reserves]
    assert places == sorted(places)
    assert set(places) == set(range(len(buckets)))


def check_charges(entries: list[LedgerEntry], costs: dict[str, int], payer: Payer) -> None:
    """Check that each run has paid its cost from buckets that it had reserved, and nothing else."""
    reserved: defaultdict[str, Counter[str]] = defaultdict(Counter)
    paid: Counter[str] = Counter()
    for each in entries:
        if each.execution_id:
            reserved[each.execution_id][each.bucket] += each.reserved
            paid[each.execution_id] -= each.credits
            assert reserved[each.execution_id][each.bucket] >= 0
    assert paid == costs
    assert {left for runs in reserved.values() for left in runs.values()} == {0}
    captured = [each for each in entries if each.kind == LedgerKind.CAPTURE]
    late = {each.bucket for each in captured if each.at > payer.month_ends}
    assert {f"m{payer.month_ends}", f"t{payer.top_up_ends}.soon"} <= late
