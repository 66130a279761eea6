"""Measures of each system: a name and a number per repetition."""

import asyncio
import math
import statistics
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.benchmarks.client import Load
from tests.benchmarks.graphs import CALLS_IN_LINE
from tests.benchmarks.lone_start import measure_lone_starts
from tests.benchmarks.references.programs import expected
from tests.benchmarks.systems import CLUSTER, HEADRACE, STOCK, Surroundings, System

Numbers = dict[str, float]
CALLERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Length and width of a measurement."""

    repetitions: int
    seconds: float
    warm_up: float
    idle_seconds: float
    idle_samples: int
    crowd: int
    big_crowd: int
    patience: float
    """The most that one measure of `w5` may take, in seconds."""
    wait_ms: int
    settle_seconds: float
    """Time from readiness until all processes are there; the archiver starts last."""


FULL = Effort(
    repetitions=3,
    seconds=2.0,
    warm_up=0.5,
    idle_seconds=3.0,
    idle_samples=3,
    crowd=500,
    big_crowd=5_000,
    patience=60.0,
    wait_ms=2_000,
    settle_seconds=10.0,
)
QUICK = Effort(
    repetitions=1,
    seconds=0.2,
    warm_up=0.05,
    idle_seconds=0.2,
    idle_samples=1,
    crowd=20,
    big_crowd=40,
    patience=60.0,
    wait_ms=100,
    settle_seconds=0.1,
)


Measure = Callable[[System, Surroundings, Effort], Coroutine[Any, Any, Numbers]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One line of the bench: `measure` gives its numbers for a system."""

    id: str
    title: str
    measure: Measure
    workers: int = 2
    """Worker processes of Headrace."""


def load(system: System, name: str) -> Load:
    return Load(system.endpoints[name], lambda given: expected(name, given))


async def measure_start(system: System, _: Surroundings, effort: Effort) -> Numbers:
    """CPU time of the start, and memory before the first run, when all processes are there."""
    await asyncio.sleep(effort.settle_seconds)
    memory, processes = system.processes.memory(), system.processes
    numbers = {"start.memory_mb": memory["pss"] + memory["redis_pss"]}
    if system.name in (HEADRACE, CLUSTER):
        return numbers | measure_lone_starts(system)
    return numbers | {
        "start.gateway_cpu_s": processes.most_cpu_seconds("gateway", "uvicorn"),
        "start.worker_cpu_s": processes.most_cpu_seconds(
            "worker", "dramatiq", "tests.benchmarks.references.floor"
        ),
    }


async def measure_one_text(system: System, _: Surroundings, effort: Effort) -> Numbers:
    calls = load(system, "w1")
    await calls.in_line(effort.warm_up)
    times = await calls.in_line(effort.seconds)
    await calls.together(CALLERS, effort.warm_up)
    runs, seconds = calls.count, system.processes.cpu_seconds()
    rate = await calls.together(CALLERS, effort.seconds)
    seconds, runs = system.processes.cpu_seconds() - seconds, calls.count - runs
    return {
        "w1.p50_ms": median_ms(times),
        "w1.p99_ms": late_ms(times),
        "w1.runs_per_second": rate,
        "w1.cpu_ms": seconds * 1000 / runs,
    }


def in_line_of(name: str) -> Measure:
    """The median of one caller's runs of a workload."""

    async def measure(system: System, _: Surroundings, effort: Effort) -> Numbers:
        calls = load(system, name)
        await calls.in_line(effort.warm_up, at_least=2)
        return {f"{name}.p50_ms": median_ms(await calls.in_line(effort.seconds))}

    return measure


async def measure_crowd(system: System, _: Surroundings, effort: Effort) -> Numbers:
    """Many runs that wait at the same time, then ten times as many."""
    calls = load(system, "w5")
    if system.name == STOCK:
        return await _measure_stock_crowd(system, calls, effort)
    await calls.in_line(0, at_least=1)
    if not system.has_seen_crowd:
        await asyncio.sleep(effort.settle_seconds)  # no process starts during the measure
    before = system.processes.memory()
    numbers = await _bounded(calls, effort.crowd, "w5.crowd_s", effort.patience)
    watch = asyncio.create_task(_look_at_memory(system, effort))
    numbers |= await _bounded(calls, effort.big_crowd, "w5.big_crowd_s", effort.patience)
    during = await watch
    if system.has_seen_crowd:
        return numbers  # what the first crowd needed is still in its processes
    system.has_seen_crowd = True
    kilobytes = (during["pss"] - before["pss"]) * 1024 / effort.big_crowd
    return numbers | {"w5.kb_per_waiting_run": kilobytes}


async def _measure_stock_crowd(system: System, calls: Load, effort: Effort) -> Numbers:
    """Once it has failed, its queue is full of runs that nobody waits for: not tried again."""
    numbers = {"w5.crowd_s": math.inf}
    if not system.has_failed:
        numbers = await _bounded(calls, effort.crowd, "w5.crowd_s", effort.patience)
        system.has_failed = math.isinf(numbers["w5.crowd_s"])
    return numbers


async def _bounded(calls: Load, runs: int, name: str, patience: float) -> Numbers:
    """Infinity stands for "not within the patience, or not without errors"."""
    try:
        return {name: await asyncio.wait_for(calls.run_together(runs), patience)}
    except (TimeoutError, ConnectionError, AssertionError) as error:
        print(f"{name}: {type(error).__name__} {error}", flush=True)
        return {name: math.inf}


async def _look_at_memory(system: System, effort: Effort) -> Numbers:
    """Memory while the crowd waits, when the first answers are about to come."""
    await asyncio.sleep(effort.wait_ms / 1000 + 0.5)
    return await asyncio.to_thread(system.processes.memory)


async def measure_after_idleness(system: System, _: Surroundings, effort: Effort) -> Numbers:
    calls = load(system, "w1")
    await calls.in_line(effort.warm_up)
    reference = await calls.in_line(effort.seconds / 2)
    times = await calls.after_idleness(effort.idle_samples, effort.idle_seconds)
    return {"w6.p50_ms": median_ms(times), "w6.busy_p50_ms": median_ms(reference)}


async def measure_calls_in_line(system: System, around: Surroundings, effort: Effort) -> Numbers:
    calls = load(system, "w7")
    await calls.in_line(effort.warm_up, at_least=2)
    bare = statistics.median(await bare_calls(around.target, effort))
    times = await calls.in_line(effort.seconds)
    excess = statistics.median(times) - bare
    return {"w7.p50_ms": median_ms(times), "w7.bare_ms": bare * 1000, "w7.excess_ms": excess * 1000}


async def bare_calls(target: str, effort: Effort) -> list[float]:
    """The same calls, made one after the other right here by a client of the same kind."""
    times: list[float] = []
    until = time.perf_counter() + effort.seconds / 2
    async with aiohttp.ClientSession() as session:
        while time.perf_counter() < until or len(times) < 5:
            started = time.perf_counter()
            text = "n"
            for _ in range(CALLS_IN_LINE):
                async with session.get(f"{target}/now?name={text}") as response:
                    text = await response.text()
            times.append(time.perf_counter() - started)
    return times


def median_ms(times: list[float]) -> float:
    return statistics.median(times) * 1000


def late_ms(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)] * 1000


WORKLOADS = (
    Workload(id="start", title="start, before the first run", measure=measure_start),
    Workload(id="W1", title="input → text → output", measure=measure_one_text),
    Workload(id="W2", title="10 text nodes in line", measure=in_line_of("w2")),
    Workload(id="W3", title="1 node → 50 text nodes → join", measure=in_line_of("w3")),
    Workload(id="W4", title="20 HTTP calls of 100 ms at once, join", measure=in_line_of("w4")),
    Workload(id="W6", title="first run after idleness", measure=measure_after_idleness),
    Workload(id="W7", title="40 HTTP calls in line", measure=measure_calls_in_line, workers=1),
    Workload(id="W5", title="crowds of runs that wait", measure=measure_crowd, workers=1),
)
