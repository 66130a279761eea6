"""`python -m tests.benchmarks.scale.children`: lists of texts and calls, workflows in workflows.

Starts a stack of its own with two workers, and a server for the calls. Prints one line per figure.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from tests.benchmarks.processes import Processes, free_port, read_cpu_seconds, wait_for_port
from tests.support.acceptance.footprint import resident_megabytes
from tests.support.acceptance.running_stack import RunningStack, running, until
from tests.support.contract.batch_caller import BatchCaller
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested_graphs import calling, per_item

LEVELS = 8
"""Workflows in workflows, the most that may be."""
CALLS_AT_ONCE = 100
SAMPLE_SECONDS = 0.02


def main() -> None:
    """Measure, and print one line per figure."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale.children", description=__doc__
    )
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, _target(Path(scratch)) as url:
        options = ("--no-demo", "--workers", "2", "--gateways", "1")
        with running(Path(scratch), *options, HEADRACE_ALLOW_PRIVATE_URLS="1") as stack:
            runs = ListRuns(stack)
            runs.texts(asked.items, asked.rounds)
            runs.calls(asked.items, asked.rounds, url)
            runs.levels(asked.rounds)
            runs.many(asked.many)


@contextmanager
def _target(folder: Path) -> Iterator[str]:
    """Run the server of the calls in a process of its own; yield its address."""
    processes, port = Processes(folder / "target.log"), free_port()
    process = processes.start_python("-m", "tests.benchmarks.target", str(port))
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop()


class ListRuns:
    """Runs with children, on a stack of which the processes are known."""

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        self._caller = BatchCaller(stack, "lister")
        self._redis: Redis[bytes] = Redis.from_url(stack.redis_url)

    def texts(self, items: int, rounds: int) -> None:
        """Measure runs over a list of which each item becomes a text."""
        slug = self._caller.save("Texts", per_item(greeting(), concurrency=100))
        found, cpu = self._measure(slug, _names(items), rounds)
        _show(f"{items} items of one text", found, f"{1000 * cpu / items:.2f} ms of CPU an item")

    def calls(self, items: int, rounds: int, url: str) -> None:
        """Measure runs over a list of which each item becomes a call of 100 ms."""
        body = Graph("who").node("call", "httpRequest", url=f"{url}/wait/100?{{{{ who }}}}")
        body.node("out", "responseOutput").wire("in.who > call.who")
        body.wire("call.response-out > out.result-in")
        slug = self._caller.save("Calls", per_item(body, concurrency=CALLS_AT_ONCE))
        found, cpu = self._measure(slug, _names(items), rounds)
        what = f"{items} calls of 100 ms, {CALLS_AT_ONCE} at once"
        _show(what, found, f"{1000 * cpu / items:.2f} ms of CPU an item")

    def levels(self, rounds: int) -> None:
        """Measure a chain of workflows, each of which calls the next."""
        slug = self._caller.save("Level 0", greeting())
        times = [self._median(slug, rounds)]
        for level in range(LEVELS):
            slug = self._caller.save(f"Level {level + 1}", calling(slug))
            times.append(self._median(slug, rounds))
        step = (times[-1] - times[0]) / LEVELS
        print(
            f"a chain of {LEVELS} levels: {times[-1] * 1000:.1f} ms, {step * 1000:.1f} ms a level"
        )

    def _median(self, slug: str, rounds: int) -> float:
        return statistics.median(self._measure(slug, {"who": "Ada"}, 4 * rounds)[0])

    def many(self, items: int) -> None:
        """Measure one run over a long list, and what it takes of memory."""
        slug = self._caller.save("Many", per_item(greeting(), concurrency=100))
        with _watching(self._parts(), self._redis) as peak:
            [seconds], cpu = self._measure(slug, _names(items), 1)
        print(
            f"{items} items: {seconds:.2f} s, {1000 * cpu / items:.2f} ms of CPU an item; "
            f"a worker grows by {peak.worker:.0f} MB at most, "
            f"Redis by {peak.redis:.1f} MB at most and holds {peak.held:.1f} MB afterwards"
        )

    def _measure(self, slug: str, inputs: Any, rounds: int) -> tuple[list[float], float]:
        """Return the seconds of each run, and the CPU seconds of all parts for one run."""
        self._run(slug, inputs)
        found: list[float] = []
        before = self._cpu_seconds()
        for _ in range(rounds):
            began = time.perf_counter()
            self._run(slug, inputs)
            found.append(time.perf_counter() - began)
        return found, (self._cpu_seconds() - before) / rounds

    def _run(self, slug: str, inputs: Any) -> None:
        answer = self._caller.ask("POST", f"/api/workflows/{slug}/run", {"inputs": inputs})
        if "result" not in answer:
            path = f"/api/executions/{answer['executionId']}"
            answer = until(
                lambda: self._caller.ask("GET", path),
                lambda each: each["status"] != "processing",
                timeout=300,
            )
        result = answer["result"]
        assert result, answer
        if "items" in inputs:
            assert len(result["results"]) == len(inputs["items"])
            assert not result["errors"]

    def _parts(self) -> Sequence[int]:
        return self._stack.part("worker")

    def _cpu_seconds(self) -> float:
        kinds = ("worker", "redis", "gateway")
        return sum(read_cpu_seconds(pid) for kind in kinds for pid in self._stack.part(kind))


class Peak:
    """Most memory of parts beyond the first look, in megabytes."""

    worker = redis = held = 0.0


@contextmanager
def _watching(workers: Sequence[int], redis: "Redis[bytes]") -> Iterator[Peak]:
    """Look at the memory of workers and Redis again and again while the context lasts."""
    peak, over = Peak(), threading.Event()
    first = {pid: resident_megabytes(pid) for pid in workers}
    base = _dataset(redis)

    def watch() -> None:
        while not over.wait(SAMPLE_SECONDS):
            grown = max(resident_megabytes(pid) - first[pid] for pid in workers)
            peak.worker = max(peak.worker, grown)
            peak.redis = max(peak.redis, _dataset(redis) - base)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()
        peak.held = _dataset(redis) - base


def _dataset(redis: "Redis[bytes]") -> float:
    return float(redis.info("memory")["used_memory_dataset"]) / 1_000_000


def _names(items: int) -> dict[str, Any]:
    return {"items": [f"number {index}" for index in range(items)]}


def _show(what: str, seconds: Sequence[float], more: str) -> None:
    print(f"{what}: {statistics.median(seconds):.2f} s (best {min(seconds):.2f} s), {more}")


if __name__ == "__main__":
    main()
