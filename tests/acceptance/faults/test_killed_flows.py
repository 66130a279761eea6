"""Workers killed in the middle of random graphs with graphs inside: all end as predicted."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.executions.statuses import TERMINAL
from engine.settings import Settings
from engine.store import Store
from tests.support.eventually import eventually
from tests.support.factories import Runner
from tests.support.graphs.flow_oracle import Ambiguous, Expected, predict
from tests.support.graphs.flow_runs import assert_fits, begin_flow
from tests.support.graphs.flows import VALUES, Flow, flows
from tests.support.http.scripted_server import Target, serving
from tests.support.workers.worker_process import WorkerProcess, worker_processes

RUNS, WORKERS = 20, 2
KILLS = (0.2, 0.5)
"""Part of the runs that have ended when all workers are killed; a third loss would end a node."""
CASES = st.lists(
    st.tuples(flows(is_root=True), st.sampled_from(VALUES)), min_size=RUNS, max_size=RUNS
)
SUPPRESSED = (
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    async with serving() as target:
        yield target


@pytest.fixture
async def workers(settings: Settings, store: Store) -> AsyncIterator[list[WorkerProcess]]:
    more = {"HEADRACE_LEASE_SECONDS": "1"}
    async with worker_processes(settings.redis_url, WORKERS, **more) as processes:
        await eventually(store.leases.workers, lambda found: len(found) == WORKERS, timeout=30)
        yield processes


def predicted(cases: Sequence[tuple[Flow, Any]]) -> list[tuple[Flow, Any, Expected]]:
    """Return the cases of which the end is known, with it."""
    known = []
    for flow, value in cases:
        try:
            known.append((flow, value, predict(flow, {"x": value})))
        except Ambiguous:
            continue
    return known


async def count_ended(runner: Runner, ids: Sequence[str]) -> int:
    found = [await runner.store.executions.get(runner.account.id, each) for each in ids]
    return sum(execution.status in TERMINAL for execution in found)


async def kill_all(runner: Runner, workers: list[WorkerProcess], ids: Sequence[str]) -> None:
    """Kill all workers, each time after a further part of the runs has ended."""
    for part in KILLS:
        least = int(part * len(ids))
        ended = partial(count_ended, runner, ids)
        await eventually(ended, lambda found, least=least: found >= least, timeout=60)
        await asyncio.gather(*(process.end(signal.SIGKILL) for process in workers))
        await asyncio.gather(*(process.start() for process in workers))


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(cases=CASES)
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=SUPPRESSED,
)
async def test_flows_end_as_predicted_although_all_workers_are_killed(
    runner: Runner, workers: list[WorkerProcess], target: Target, cases: list[tuple[Flow, Any]]
) -> None:
    known = predicted(cases)
    url = f"{target.url}/slow/0.4"
    ids = [await begin_flow(runner, flow, {"x": value}, url) for flow, value, _ in known]

    await kill_all(runner, workers, ids)
    for execution_id, (_, _, expected) in zip(ids, known, strict=True):
        execution = await runner.end(execution_id, 120)
        await assert_fits(runner, execution, expected)
