"""`python -m tests.benchmarks.archiving`: the cost of archiving for runs, memory over many runs.

Two stacks run at the same time and are measured in turn; in one of them the archiver is stopped.
Writes `archiving.md` and `archiving.json`. `--only` measures some parts again.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from redis import Redis

from deploy.stack.redis_server import open_server
from engine.ids import partitions
from engine.store.redis import keyspace
from tests.benchmarks.archiving import report
from tests.benchmarks.archiving.report import Burst, Memory, Result
from tests.benchmarks.client import Load
from tests.benchmarks.curves.__main__ import text_load
from tests.benchmarks.processes import benchmarks_folder, read_command
from tests.benchmarks.systems import HEADRACE, Surroundings, System, running_target, started
from tests.benchmarks.workloads import FULL as FULL_WORKLOADS
from tests.benchmarks.workloads import QUICK as QUICK_WORKLOADS
from tests.benchmarks.workloads import WORKLOADS
from tests.benchmarks.workloads import Effort as WorkloadEffort
from tests.support.history.databases import postgresql_url

CALLERS = 32
ARCHIVER_SECONDS = 15.0
"""Time until the archiver of a stack that starts is there."""
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.1
DEFAULT = "sqlite"
COMPARED = ("w1.p50_ms", "w2.p50_ms", "w3.p50_ms", "w4.p50_ms", "w5.crowd_s", "w6.p50_ms")
PARTS = ("workloads", "burst", "memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Length of the measurements."""

    workloads: WorkloadEffort
    repetitions: int
    burst_seconds: float
    executions: int
    rows: int
    """Figures of memory."""


FULL = Effort(
    workloads=FULL_WORKLOADS, repetitions=3, burst_seconds=10.0, executions=1_000_000, rows=20
)
QUICK = Effort(
    workloads=QUICK_WORKLOADS, repetitions=1, burst_seconds=0.5, executions=2_000, rows=4
)


def main() -> int:
    """Measure the parts and write the results."""
    arguments = parse()
    effort = QUICK if arguments.quick else FULL
    folder = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    parts = arguments.only or PARTS
    result = Result()
    for kind in arguments.databases:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch, ExitStack() as stack:
            target = stack.enter_context(running_target(Path(scratch)))
            wait_ms = effort.workloads.wait_ms
            around = Surroundings(folder=Path(scratch), target=target, wait_ms=wait_ms)
            environ = stack.enter_context(database_environ(kind))
            if "workloads" in parts or "burst" in parts:
                archiving = stack.enter_context(started(HEADRACE, around, 2, **environ))
                idle = stack.enter_context(started(HEADRACE, around, 2))
                wait_for_archiver(archiving)
                stop_archivers(idle)
                if "workloads" in parts:
                    result.workloads[kind] = compare_workloads(archiving, idle, around, effort)
                if "burst" in parts:
                    result.bursts[kind] = compare_bursts(archiving, idle, effort)
    if "memory" in parts:
        count = arguments.executions or effort.executions
        result.memory = measure_memory(count, effort.rows, arguments.hot_minutes)
    report.write(folder, result)
    print(f"results in {folder}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.archiving", description=__doc__
    )
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--databases", nargs="+", default=[DEFAULT, "postgresql"])
    parser.add_argument("--executions", type=int, help="of the part memory; 1,000,000 by default")
    parser.add_argument("--hot-minutes", default="0.1", help="HEADRACE_HOT_MINUTES of that part")
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    return parser.parse_args()


@contextmanager
def database_environ(kind: str) -> Iterator[dict[str, str]]:
    """Yield the settings of a stack with such a database."""
    if kind == DEFAULT:
        yield {}
        return
    urls = postgresql_url(f"bench-{uuid.uuid4().hex[:8]}")
    yield {"HEADRACE_DATABASE_URL": next(urls)}
    next(urls, None)


def archivers(system: System) -> list[int]:
    """Return the archivers of a stack, those that wait for a lead included."""
    return [pid for pid in system.processes.pids() if "archiver" in read_command(pid)]


def wait_for_archiver(system: System) -> None:
    """Wait until what ends is archived."""
    uvloop.run(text_load(system).in_line(0, at_least=1))
    clear(DeliveryKeys(system))


def stop_archivers(system: System) -> None:
    """Stop what archives in a stack, and keep it from being replaced."""
    time.sleep(ARCHIVER_SECONDS)
    for pid in archivers(system):
        os.kill(pid, signal.SIGSTOP)


class DeliveryKeys:
    """Redis of a stack, as far as the archiver empties it."""

    def __init__(self, system: System) -> None:
        self._redis: Redis[bytes] = Redis.from_url(open_server(system.data_dir).url)

    def count(self) -> int:
        """Return the number of executions that have ended and are not in the history."""
        return sum(
            self._redis.zcard(keyspace.unarchived(each)) for each in range(partitions.DEFAULT_COUNT)
        )

    def used_bytes(self) -> int:
        """Return the memory that Redis uses."""
        return int(self._redis.info("memory")["used_memory"])


def clear(outbox: DeliveryKeys) -> float:
    """Wait until the history has all; return the seconds, infinity when it takes too long."""
    began = time.monotonic()
    while outbox.count():
        if time.monotonic() - began > PATIENCE_SECONDS:
            return float("inf")
        time.sleep(PAUSE_SECONDS)
    return time.monotonic() - began


def compare_workloads(
    archiving: System, idle: System, around: Surroundings, effort: Effort
) -> dict[str, list[float]]:
    """Return the medians of each workload with archiving and without it."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for workload in WORKLOADS[1:]:
        for repetition in range(effort.repetitions):
            systems = [(archiving, 0), (idle, 1)]
            for system, place in systems if repetition % 2 else reversed(systems):
                numbers = uvloop.run(workload.measure(system, around, effort.workloads))
                for name, number in numbers.items():
                    found.setdefault(name, ([], []))[place].append(number)
                print(workload.id, "on" if place == 0 else "off", numbers, flush=True)
    return {
        name: [statistics.median(each) for each in samples]
        for name, samples in found.items()
        if name in (*COMPARED, "w7.p50_ms")
    }


def compare_bursts(archiving: System, idle: System, effort: Effort) -> Burst:
    """Return runs per second with archiving and without it, and the backlog afterwards."""
    outbox, seconds = DeliveryKeys(archiving), effort.burst_seconds
    rates: tuple[list[float], list[float]] = ([], [])
    backlogs, clearing = [], []
    for repetition in range(effort.repetitions):
        for place in (0, 1) if repetition % 2 else (1, 0):
            rates[place].append(burst(text_load((archiving, idle)[place]), seconds))
            if place == 0:
                backlogs.append(float(outbox.count()))
                clearing.append(clear(outbox))
        print("burst", rates, backlogs, clearing, flush=True)
    return Burst(
        seconds=seconds,
        on_rate=statistics.median(rates[0]),
        off_rate=statistics.median(rates[1]),
        backlog=statistics.median(backlogs),
        cleared_seconds=statistics.median(clearing),
    )


def burst(load: Load, seconds: float) -> float:
    """Return the runs per second of many callers."""
    return uvloop.run(load.together(CALLERS, seconds))


def measure_memory(executions: int, rows: int, hot_minutes: str) -> list[Memory]:
    """Return Redis' memory at intervals while many executions run."""
    found: list[Memory] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        around = Surroundings(folder=Path(scratch), target="http://127.0.0.1:9", wait_ms=1)
        with started(HEADRACE, around, 2, HEADRACE_HOT_MINUTES=hot_minutes) as system:
            wait_for_archiver(system)
            outbox, load = DeliveryKeys(system), text_load(system)
            began = time.monotonic()

            def note() -> None:
                row = Memory(
                    executions=load.count,
                    seconds=time.monotonic() - began,
                    redis_mb=outbox.used_bytes() / 1_048_576,
                    backlog=outbox.count(),
                    processes_mb=system.processes.memory()["pss"],
                )
                print(row, flush=True)
                found.append(row)

            uvloop.run(_run_many(load, executions, rows, note))
            clear(outbox)
            time.sleep(float(hot_minutes) * 60 + 10)
            note()
    return found


async def _run_many(load: Load, executions: int, rows: int, note: Callable[[], None]) -> None:
    connections = await load.connect(CALLERS)
    for row in range(rows):
        until = executions * (row + 1) // rows

        async def repeat(connection: Any, until: int = until) -> None:
            while load.count < until:
                await load.one(connection)

        await asyncio.gather(*map(repeat, connections))
        await asyncio.to_thread(note)
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
