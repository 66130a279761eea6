"""The ledger is exact to the credit under random runs, cancels and deaths."""

import asyncio
import functools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.access.tiers import load
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from tests.support.acceptance.random_spending import (
    WITH_CHILDREN,
    Caller,
    Spender,
    check_books,
    open_spenders,
)
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.eventually import eventually
from tests.support.http.scripted_server import serving

CALLERS = 12
"""Credits of each account."""
TIERS = '[pro]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'


def turns_with_deaths(stack: RunningStack, runs: int, deaths: int) -> Iterator[int]:
    """Yield a turn for each run; at some of them a worker dies."""
    fatal = {(number + 1) * runs // (deaths + 1) for number in range(deaths)}
    for number in range(runs):
        if number in fatal:
            os.kill(random.choice(stack.part("worker")), signal.SIGKILL)
        yield number


async def spend(
    spenders: list[Spender], turns: Iterator[int], target: str, seed: int
) -> Counter[str]:
    """Let every account spend; return how its runs and charged nodes ended."""
    callers = [
        Caller(spender, target, random.Random(f"{seed} {spender.account.email} {number}"))
        for spender in spenders
        for number in range(CALLERS)
    ]
    await asyncio.gather(*(caller.spend(turns) for caller in callers))
    ends: Counter[str] = Counter()
    for spender in spenders:
        await eventually(functools.partial(under_way, spender), lambda left: left == 0, timeout=120)
        ends += await check_books(spender)
    return ends


async def under_way(spender: Spender) -> int:
    """Return the account's runs that have not ended."""
    account_id = spender.account.id
    roots = int(await spender.store.client.send("SCARD", keyspace.active(account_id)))
    return roots + await spender.store.children.count_open(account_id)


async def drift_after(folder: Path, *, runs: int, deaths: int) -> Counter[str]:
    tiers_file = folder / "tiers.toml"
    tiers_file.write_text(TIERS)
    environ = {"HEADRACE_TIERS_FILE": str(tiers_file), "HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    with running(folder, "--no-demo", "--gateways", "2", "--workers", "2", **environ) as stack:
        async with serving() as target:
            store = Store.open(Settings(redis_url=stack.redis_url))
            spenders = await open_spenders(store, stack.url, load(str(tiers_file)), WITH_CHILDREN)
            began = time.monotonic()
            turns = turns_with_deaths(stack, runs, deaths)
            ends = await spend(spenders, turns, target.url, seed=runs)
            await store.close()
    seconds = time.monotonic() - began
    total = sum(len(spender.runs) for spender in spenders)
    statuses = sum((spender.statuses for spender in spenders), Counter[int]())
    print(f"{total} executions in {seconds:.1f} s, {total / seconds:.0f}/s", ends, statuses)
    return ends


@pytest.mark.thorough
async def test_no_credit_is_lost_or_made_up(tmp_path: Path) -> None:
    ends = await drift_after(tmp_path, runs=300, deaths=1)

    # The number of cancels in time depends on the load of the machine.
    assert all(ends[each] for each in ("completed", "failed", "cancelled"))
    assert all(ends[f"node {each}"] for each in ("completed", "failed", "cancelled"))
    assert ends["child completed"] and ends["child failed"]


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_no_credit_is_lost_or_made_up_in_twenty_thousand_runs(tmp_path: Path) -> None:
    ends = await drift_after(tmp_path, runs=24_500, deaths=10)

    assert ends["completed"] + ends["failed"] + ends["cancelled"] >= 20_000
    assert min(ends[f"node {each}"] for each in ("completed", "failed", "cancelled")) > 300
