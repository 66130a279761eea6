"""A burst of runs on a stack whose workers an autoscaler starts and ends, and its figures."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.net.http_client import call
from engine.settings import load
from engine.store import Store
from engine.store.redis import keyspace
from tests.benchmarks.client import Endpoint
from tests.benchmarks.processes import free_port
from tests.benchmarks.scale.autoscaling.callers import Call, Callers, Phase, graph
from tests.benchmarks.scale.autoscaling.hpa import (
    Autoscaler,
    Limits,
    MetricType,
    Policy,
    Rules,
    Trigger,
)
from tests.benchmarks.scale.autoscaling.prometheus import Prometheus
from tests.benchmarks.scale.autoscaling.scaled_workers import Decision, ScaledWorkers, Scaler
from tests.benchmarks.scale.fleet import Fleet, wait_until
from tests.support.factories import Graph

AGE = "max(headrace_oldest_hint_seconds)"
SLOTS = 8
"""Executions that a worker holds."""
MOST_WORKERS = 8
SYNC_SECONDS = 3.0
SCRAPE_SECONDS = 1.0
TRIGGERS = (
    Trigger(query=AGE, threshold=2, metric_type=MetricType.VALUE),
    Trigger(
        query="max(headrace_executions_held)",
        threshold=SLOTS / 2,
        metric_type=MetricType.AVERAGE_VALUE,
    ),
)
LIMITS = Limits(
    fewest=1,
    most=MOST_WORKERS,
    up=Rules(
        window_seconds=0,
        policies=[Policy(percent=100, period_seconds=6), Policy(pods=2, period_seconds=6)],
    ),
    down=Rules(window_seconds=20, policies=[Policy(pods=1, period_seconds=4)]),
)
QUIET = Phase(seconds=10, per_second=2)
BURST = Phase(seconds=45, per_second=20)
PATIENCE_SECONDS = 120.0
"""Longest time after a burst until one worker is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Record of a burst; times are in seconds since its first call."""

    began: float
    """Begin of the burst, and its end."""
    ended: float
    calls: Sequence[Call]
    arrivals: Sequence[float]
    ages: Sequence[tuple[float, float]]
    ready: Sequence[tuple[float, int]]
    decisions: Sequence[Decision]
    drains: Sequence[float]
    codes: Sequence[int]
    repeated: int
    """Executions with a node that was begun more than once."""


class Installation:
    """Account of a fleet, with a key and a workflow."""

    def __init__(self, fleet: Fleet, name: str, made: Graph) -> None:
        words = ("account", "create", "--email", f"{name}@example.org", "--tier", "enterprise")
        self.account_id = fleet.command(*words, "--credits", "1000000")["id"]
        words = ("key", "create", "--account", self.account_id, "--capability", "workflow:*")
        self.key = fleet.command(*words)["key"]
        self._fleet = fleet
        url = f"http://127.0.0.1:{fleet.gateway_port}/api/workflows"
        status, answer = call("POST", url, key=self.key, body=made.body(name))
        if status != 201:
            raise RuntimeError(f"{name}: {answer}")
        self.path = f"/api/workflows/{answer['slug']}/run"
        self.endpoint = Endpoint(
            host="127.0.0.1",
            port=fleet.gateway_port,
            path=self.path,
            headers=(f"x-api-key: {self.key}",),
        )

    async def count_repeated(self) -> int:
        """Return the number of executions with a node that was begun more than once."""
        store = Store.open(load(self._fleet.environ))
        listed = keyspace.account_executions(self.account_id)
        ids = [each.decode() for each in await store.client.send("ZRANGE", listed, 0, -1)]
        repeated = 0
        for each in ids:
            found = await store.executions.get(self.account_id, each)
            repeated += any(node.attempts > 1 for node in found.nodes)
        await store.close()
        return repeated


async def measure_burst(folder: Path, quiet: Phase = QUIET, burst: Phase = BURST) -> Record:
    """Let a burst come to one worker, and wait until one worker is left."""
    port = free_port()
    with Fleet(folder / "fleet") as fleet:
        fleet.start(*target_command(port))
        fleet.start_gateway()
        prometheus = Prometheus.start(fleet, folder / "prometheus", SCRAPE_SECONDS)
        made = Installation(fleet, "burst", graph(f"http://127.0.0.1:{port}"))
        workers = ScaledWorkers(fleet, SLOTS)
        workers.set_count(1)
        wait_until(lambda: workers.count_ready() == 1, "a worker")
        scaler = Scaler(workers, prometheus, Autoscaler(TRIGGERS, LIMITS), SYNC_SECONDS)
        callers = Callers(made.endpoint)
        scaling = asyncio.create_task(scaler.run())
        began, clock = time.monotonic(), time.time()
        await callers.come((quiet, burst))
        after = asyncio.create_task(callers.come((Phase(PATIENCE_SECONDS, quiet.per_second),)))
        await _until_one_is_left(scaler, quiet.seconds)
        after.cancel()
        await callers.end()
        scaling.cancel()
        ages = prometheus.read(AGE, clock, time.time())
        return Record(
            began=quiet.seconds,
            ended=quiet.seconds + burst.seconds,
            calls=[Call(c.began - began, c.ended - began, c.is_right) for c in callers.calls],
            arrivals=[at - began for at in callers.arrivals],
            ages=[(at - clock, value) for at, value in ages],
            ready=[(at - began, count) for at, count in scaler.ready],
            decisions=[Decision(d.at - began, d.values, d.workers) for d in scaler.decisions],
            drains=workers.drains,
            codes=workers.codes,
            repeated=await made.count_repeated(),
        )


async def _until_one_is_left(scaler: Scaler, quiet_seconds: float) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(scaler.workers.running) > 1 or scaler.workers.draining:
        if time.monotonic() > deadline:
            raise RuntimeError("more than one worker was left")
        await asyncio.sleep(0.1)
    await asyncio.sleep(quiet_seconds / 3)


def target_command(port: int) -> Sequence[str]:
    """Return the command of the server that runs call."""
    return (sys.executable, "-m", "tests.benchmarks.target", str(port))
