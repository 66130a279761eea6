"""`python -m tests.benchmarks.scale`: costs of runs, of idle parts and of waiting; what follows.

Writes `scale.md` and `scale.json`. Less than three minutes on a quiet machine.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.processes import Processes, benchmarks_folder, free_port, wait_for_port
from tests.benchmarks.scale import report
from tests.benchmarks.scale.fleet import Fleet
from tests.benchmarks.scale.model import FEW, MANY, UNDER_WAY, Measured, Model
from tests.benchmarks.scale.requests import measure_idle_requests
from tests.benchmarks.scale.runs import (
    ROUNDS,
    Idle,
    RunUse,
    least_disturbed,
    make_customer,
    measure_runs,
    measure_webhooks,
)
from tests.benchmarks.scale.usage import Use
from tests.benchmarks.scale.waiting import (
    Resend,
    Waiters,
    Waiting,
    measure_hints,
    measure_idle,
    measure_publications,
    measure_waiting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Points and lengths of the measurements."""

    callers: tuple[int, ...]
    rounds: int
    run_seconds: float
    workers: tuple[int, ...]
    idle_seconds: float
    waiting: tuple[int, ...]
    waiting_seconds: float
    """Longer than a pass of the search for orphans."""


FULL = Effort(
    callers=(FEW, 4, UNDER_WAY, 16, MANY),
    rounds=ROUNDS,
    run_seconds=1.0,
    workers=(1, 4, 8, 16),
    idle_seconds=6.0,
    waiting=(10_000, 30_000, 100_000),
    waiting_seconds=11.0,
)
QUICK = Effort(
    callers=(FEW, UNDER_WAY, MANY),
    rounds=1,
    run_seconds=0.3,
    workers=(1, 2, 3),
    idle_seconds=1.0,
    waiting=(500, 1_000, 1_500),
    waiting_seconds=1.0,
)


def main() -> int:
    """Measure, compute, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no process is left behind
    effort = QUICK if arguments.quick else FULL
    folder = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    model = Model(measure(effort))
    report.write(folder, model)
    print(f"results in {folder}")
    return 0


def measure(effort: Effort) -> Measured:
    """Measure everything, part by part."""
    publication = measure_publications()
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch, _provider(scratch) as environ:
        with Fleet(Path(scratch) / "runs", **environ) as fleet:
            idle, megabytes, gateway, runs = _measure_parts(fleet, effort)
            hint = measure_hints(fleet)
        with Fleet(Path(scratch) / "waiting") as fleet:
            waiting, resend = _measure_waiting(fleet, effort)
    return Measured(
        runs={callers: runs[str(callers)] for callers in effort.callers},
        models=runs["models"],
        webhooks=runs["webhooks"],
        idle=idle,
        idle_gateway=gateway,
        worker_megabytes=megabytes["worker"],
        gateway_megabytes=megabytes["gateway"],
        waiting=waiting,
        resend=resend,
        publication_cpu=publication,
        hint_cpu=hint,
        load_average=os.getloadavg()[1],
    )


@contextlib.contextmanager
def _provider(scratch: str) -> Iterator[Mapping[str, str]]:
    """Run a provider of made-up answers; yield the settings by which workers use it."""
    processes, port = Processes(Path(scratch) / "provider.log"), free_port()
    command = ("-P", "-m", "deploy", "stub-provider", "--port", str(port))
    try:
        wait_for_port(port, processes.start_python(*command))
        yield {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "OPENAI_API_KEY": "any",
            "HEADRACE_WEBHOOK_HOST_AT_ONCE": "0",
            "HEADRACE_WEBHOOK_HOST_PER_SECOND": "0",
        }
    finally:
        processes.stop()


def _measure_parts(
    fleet: Fleet, effort: Effort
) -> tuple[dict[int, Use], dict[str, float], Use, dict[str, RunUse]]:
    """Measure idle workers, then a gateway beside one worker, then runs on both."""
    idle: dict[int, Use] = {}
    for count in effort.workers:
        fleet.start_workers(count - fleet.count("worker"))
        idle[count] = measure_idle(fleet, effort.idle_seconds)
        _tell(f"{count} idle workers", idle[count])
    megabytes = {"worker": fleet.megabytes("worker") / fleet.count("worker")}
    fleet.stop_parts()
    fleet.start_workers(1)
    fleet.start_gateway()
    both = measure_idle(fleet, effort.idle_seconds)
    _tell("1 worker and 1 gateway", both)
    megabytes["gateway"] = fleet.megabytes("gateway")
    first = idle[effort.workers[0]]
    requests = asyncio.run(measure_idle_requests(fleet, effort.idle_seconds / 2))
    runs = asyncio.run(_measure_runs(fleet, effort, Idle(use=both, requests=requests)))
    return idle, megabytes, both - first, runs


async def _measure_runs(fleet: Fleet, effort: Effort, idle: Idle) -> dict[str, RunUse]:
    customer = await asyncio.to_thread(make_customer, fleet)
    seconds, found = effort.run_seconds, defaultdict[str, list[RunUse]](list)
    for _ in range(effort.rounds):
        for callers in effort.callers:
            some = await measure_runs(fleet, customer, "w1", callers, seconds, idle)
            found[str(callers)].append(some)
        some = await measure_runs(fleet, customer, "models", UNDER_WAY, seconds, idle)
        found["models"].append(some)
        some = await measure_webhooks(fleet, customer, UNDER_WAY, seconds, idle)
        found["webhooks"].append(some)
    best = {name: least_disturbed(rounds) for name, rounds in found.items()}
    for name, run in best.items():
        _tell(f"runs, {name}", run)
    return best


def _measure_waiting(fleet: Fleet, effort: Effort) -> tuple[list[Waiting], Resend]:
    waiters, found = Waiters(fleet), []
    for count in effort.waiting:
        asyncio.run(waiters.fill(count))
        if count == effort.waiting[0]:
            resend = asyncio.run(waiters.measure_resends())
        found.append(measure_waiting(fleet, waiters, count, effort.waiting_seconds))
        _tell(f"{count:,} waiting", found[-1])
    return found, resend


def _tell(what: str, found: object) -> None:
    print(f"{what}: {found}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
