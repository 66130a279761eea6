"""`python -m tests.benchmarks.scale.waits`: many runs that wait, and many that go on at one time.

Starts a stack of its own with two workers. Approvals of ten accounts wait for answers: the figures
are what they cost while nothing happens. Delays of ten accounts end at one moment: lateness is
counted from there to the end of the run, before approvals wait and while they do.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis

from engine.store.redis import keyspace
from engine.store.waits.keys import waits
from tests.benchmarks.processes import read_cpu_seconds
from tests.support.acceptance.footprint import resident_megabytes
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph

ACCOUNTS = 10
OF_BATCH = 1_000
CONCURRENCY = 100
LOOK_SECONDS = 20.0
"""Time over which idle processes are watched."""
PATIENCE_SECONDS = 1_800.0


def asking() -> Graph:
    """Approval of a text, which is the result."""
    graph = Graph("who").node("ask", "approval", title="Greet {{ name }}?", message="Shall we?")
    graph.node("out", "responseOutput").wire("in.who > ask.name", "in.who > ask.value-in")
    return graph.wire("ask.approved-out > out.result-in")


def delayed() -> Graph:
    """Delay until a wired moment, which is the result."""
    graph = Graph("at").node("wait", "delay").node("out", "responseOutput")
    graph.wire("in.at > wait.until-in", "in.at > wait.value-in")
    return graph.wire("wait.value-out > out.result-in")


class Owner:
    """Account with runs that wait."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        self.caller = BatchCaller(stack, name)
        self._asking = self.caller.save("Asking", asking())
        self._delayed = self.caller.save("Delayed", delayed())

    def ask(self, runs: int) -> None:
        """Begin runs that wait for answers."""
        for first in range(0, runs, OF_BATCH):
            self.caller.start(self._asking, min(OF_BATCH, runs - first), CONCURRENCY)

    def delay(self, runs: int, at: datetime) -> str:
        """Begin runs that wait until a moment; return the id of their batch."""
        item = {"inputs": {"at": at.isoformat().replace("+00:00", "Z")}}
        body = {"items": [item] * runs, "concurrency": CONCURRENCY}
        path = f"/api/workflows/{self._delayed}/batch"
        return str(self.caller.ask("POST", path, body)["batchId"])

    def lateness(self, batch_id: str, runs: int, at: datetime) -> list[float]:
        """Return the seconds from the moment to the end of each run of a batch."""
        batch = self.caller.end(batch_id)
        assert batch["counts"]["completed"] == runs, batch
        ends = [_time_of(row["completedAt"]) for row in self.caller.executions(batch_id)]
        return [(end - at).total_seconds() for end in ends]


def _time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main() -> None:
    """Measure, and print one line per figure."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale.waits", description=__doc__
    )
    parser.add_argument("--parked", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=1_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        options = ("--no-demo", "--workers", "2", "--gateways", "1")
        with running(Path(scratch), *options) as stack:
            WaitFigures(stack).measure(asked.parked, asked.due)


class WaitFigures:
    """Figures of runs that wait, on a stack of which the processes are known."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._redis: Redis[bytes] = Redis.from_url(stack.redis_url)
        self._askers = [Owner(stack, f"asks-{number}") for number in range(ACCOUNTS)]
        self._delayers = [Owner(stack, f"delays-{number}") for number in range(ACCOUNTS)]

    def measure(self, parked: int, due: int) -> None:
        """Measure delays, then approvals that wait, then delays beside those."""
        self._due(due, "nothing else waits")
        self._idle("nothing waits")
        self._park(parked)
        self._idle(f"{parked} runs wait")
        self._due(due, f"{parked} runs wait")

    def _park(self, count: int) -> None:
        before, held = self._dataset(), self._resident()
        began = time.perf_counter()
        with ThreadPoolExecutor(ACCOUNTS) as pool:
            list(pool.map(lambda each: each.ask(count // ACCOUNTS), self._askers))
        until(self._waiting, lambda found: found >= count, timeout=PATIENCE_SECONDS)
        seconds = time.perf_counter() - began
        time.sleep(LOOK_SECONDS)  # workers give memory back
        each = (self._dataset() - before) / count
        grown = [after - one for after, one in zip(self._resident(), held, strict=True)]
        _show(
            f"{count} runs of {ACCOUNTS} accounts wait after {seconds:.0f} s: {each:.0f} bytes of "
            f"Redis each, of which the record has {self._record_bytes():.0f}; "
            f"workers grew by {', '.join(f'{each:.1f}' for each in grown)} MB"
        )

    def _idle(self, state: str) -> None:
        """Measure commands and CPU while nothing happens."""
        commands, cpu = self._commands(), self._cpu_seconds()
        time.sleep(LOOK_SECONDS)
        rate = (self._commands() - commands) / LOOK_SECONDS
        share = (self._cpu_seconds() - cpu) / LOOK_SECONDS * 100
        _show(f"{state}: {rate:.0f} commands/s, {share:.1f} % of a core in all parts")

    def _due(self, count: int, state: str) -> None:
        runs = count // ACCOUNTS
        at = (datetime.now(UTC) + timedelta(seconds=15 + count / 50)).replace(microsecond=0)
        batches = [owner.delay(runs, at) for owner in self._delayers]
        until(self._delaying, lambda found: found >= count, timeout=PATIENCE_SECONDS)
        left = (at - datetime.now(UTC)).total_seconds()
        assert left > 1, "the runs began too late"
        time.sleep(left - 0.5)
        cpu = self._cpu_seconds()
        until(self._delaying, lambda found: found == 0)
        time.sleep(1)
        cpu = self._cpu_seconds() - cpu
        found = sorted(
            late
            for owner, batch in zip(self._delayers, batches, strict=True)
            for late in owner.lateness(batch, runs, at)
        )
        assert found[0] >= 0, "a run went on before its time"
        _show(
            f"{count} runs go on at one moment while {state}: ended {_spread(found)} later, "
            f"{1000 * cpu / count:.1f} ms of CPU each"
        )

    def _waiting(self) -> int:
        return self._count(self._askers)

    def _delaying(self) -> int:
        return self._count(self._delayers)

    def _count(self, owners: Sequence[Owner]) -> int:
        accounts = [owner.caller.account_id for owner in owners]
        return sum(int(self._redis.hlen(waits(each))) for each in accounts)

    def _record_bytes(self) -> float:
        """Return the mean size in Redis of the records of some runs that wait."""
        account_id = self._askers[0].caller.account_id
        ids = self._redis.hkeys(waits(account_id))[:100]
        keys = [keyspace.execution(account_id, each.decode()) for each in ids]
        sizes: list[Any] = [self._redis.memory_usage(each) for each in keys]
        return sum(sizes) / len(sizes)

    def _dataset(self) -> float:
        return float(self._redis.info("memory")["used_memory_dataset"])

    def _resident(self) -> list[float]:
        return [resident_megabytes(pid) for pid in self._stack.part("worker")]

    def _commands(self) -> int:
        return int(self._redis.info("stats")["total_commands_processed"])

    def _cpu_seconds(self) -> float:
        kinds = ("worker", "redis", "gateway")
        return sum(read_cpu_seconds(pid) for kind in kinds for pid in self._stack.part(kind))


def _spread(times: Sequence[float]) -> str:
    p50, p99 = (times[round((len(times) - 1) * share)] for share in (0.5, 0.99))
    return f"p50 {p50:.2f} s, p99 {p99:.2f} s, most {times[-1]:.2f} s"


def _show(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
