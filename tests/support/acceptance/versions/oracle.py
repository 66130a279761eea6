"""Oracle over runs at two releases: none is lost, doubled, or failed for its release."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import redis
from sqlalchemy import select

from engine.access.tiers import load as load_tiers
from engine.history.database.connections import Database
from engine.history.schema import executions
from engine.store import Account, Store
from tests.support.acceptance.versions.load import FAILURES, Run, VersionLoad
from tests.support.eventually import eventually
from tests.support.http.scripted_server import Target
from tests.support.http.webhook_receivers import Receiver

NO_DEATHS: Mapping[str, float] = {}
DOUBT_SECONDS = 5.0
"""Time before the death of a gateway in which an answer may have begun, so that its run is told
again: two seconds, and the pauses of a busy machine."""
CALLED = {"call": ("echo", 1), "retry": ("flaky/1", 2), "delay": ("flaky/1/later", 2)}
"""Path, and calls without faults, of runs that call the target."""


async def check_ends(load: VersionLoad, urls: Sequence[str]) -> Counter[str]:
    """Check each run as each gateway shows it; return the number of runs by kind and end."""
    ends: Counter[str] = Counter()
    for run in load.runs:
        shown = [await load.read(run.execution_id, url) for url in urls]
        for each in shown:
            assert each["status"] in run.statuses, (run, each)
            if each["status"] == "completed":
                assert each["result"] == run.result, (run, each)
            if each["status"] == "failed":
                codes = [node["error"]["code"] for node in each["nodes"] if node["error"]]
                assert codes == [FAILURES[run.kind]], (run, each)
            assert each["creditsCost"] == run.cost, (run, each)
        common = set(shown[0]).intersection(*shown)  # a newer release shows more
        views = [{name: each[name] for name in common} for each in shown]
        assert all(each == views[0] for each in views), shown
        ends[f"{run.kind} {shown[0]['status']}"] += 1
    for url in urls:
        assert Counter(await load.list_ids(url)) == Counter(run.execution_id for run in load.runs)
    return ends


def check_calls(runs: Sequence[Run], target: Target, faults: int) -> None:
    """Check that each run has made its calls, and more only where its worker died."""
    for run in runs:
        if run.kind in CALLED:
            path, calls = CALLED[run.kind]
            made = target.calls[f"/{path}/{run.name}?n=7"]
            assert calls <= made <= calls + faults, (run, made)


async def check_webhooks(
    runs: Sequence[Run],
    receiver: Receiver,
    *,
    deaths: Mapping[str, float] = NO_DEATHS,
    callers_may_lose_gateways: bool = False,
) -> None:
    """Check that each run in the background was told once, however often it was sent.

    So may be a run, once, whose caller a gateway has left without its end, or has answered just
    before its death, of those by URL; and any, where gateways that went on were out of reach.
    """
    expected = {run.execution_id for run in runs if not run.waits}

    async def told() -> Mapping[str, set[str]]:
        ids: defaultdict[str, set[str]] = defaultdict(set)
        for each in receiver.received:
            if "executionId" in each.event:  # else it is about a batch
                ids[each.event["executionId"]].add(each.id)
        return ids

    found = await eventually(told, lambda ids: expected <= ids.keys())
    others = {
        run.execution_id
        for run in runs
        if callers_may_lose_gateways
        or run.was_unanswered
        or deaths.get(run.answered_by, math.inf) < run.ended + DOUBT_SECONDS
    }
    assert [run for run in runs if run.execution_id in found.keys() - expected - others] == []
    assert {name: len(ids) for name, ids in found.items()} == dict.fromkeys(found, 1)


async def check_money(store: Store, account: Account, runs: Sequence[Run], given: int) -> None:
    """Check that wallet, ledger and runs agree, and that nothing is reserved."""
    assert await store.wallets.check(account.id) == []
    expected = sum(run.cost for run in runs), 0
    assert await spent_and_reserved(store, account, given) == expected


async def spent_and_reserved(store: Store, account: Account, given: int) -> tuple[int, int]:
    """Return the credits that are gone of those given, and those that are reserved."""
    terms = load_tiers().terms(account.tier, account.role)
    wallet = await store.wallets.get(account.id, terms)
    return given - wallet.balance, wallet.reserved


async def check_history(url: str, account: Account, runs: Sequence[Run]) -> None:
    """Check that each run is in the history once, whichever process has archived it."""
    database = Database(url)
    try:
        query = select(executions.c.id).where(executions.c.account_id == account.id)

        async def archived() -> Counter[str]:
            with database.read() as connection:
                return Counter(connection.execute(query).scalars())

        expected = Counter(run.execution_id for run in runs)
        found = await eventually(archived, lambda ids: ids.total() >= len(runs), pause=0.2)
        assert found == expected
    finally:
        database.close()


async def check_leftovers(redis_url: str) -> None:
    """Check that nothing is due, held, active or in a queue."""
    with redis.Redis.from_url(redis_url) as client:

        async def left() -> list[bytes]:
            kinds = ("*:due", "*:held:*", "*:active", "*hints*")
            return sorted(key for kind in kinds for key in client.scan_iter(kind, count=1_000))

        await eventually(left, lambda found: not found)
