"""Runs that compute, on one worker: whether the age of the oldest hint tells of them."""

import asyncio
import re
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.settings import Settings
from tests.benchmarks.scale.autoscaling.burst import Installation
from tests.benchmarks.scale.autoscaling.callers import Call, Callers, Phase
from tests.benchmarks.scale.fleet import Fleet
from tests.support.factories import Graph

RUNS = 900
AT_ONCE_SECONDS = 1.0
DEFAULT_SLOTS, FEW_SLOTS = Settings().worker_slots, 16
LOOK_SECONDS = 0.5
NODES = 3
NUMBERS = 40
AGE, HELD = "headrace_oldest_hint_seconds", "headrace_executions_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """Figures of many runs that compute."""

    slots: int
    age: float
    """Greatest age of the oldest hint in seconds."""
    held: int
    """Most executions in the hands of the worker."""
    calls: Sequence[Call]


def computing() -> Graph:
    """Return a workflow whose nodes compute in child processes, and give the name back."""
    numbers = ", ".join(f"{number}.0" for number in range(NUMBERS))
    rows = f"[{numbers}].map(a, [{numbers}].map(b, a * b).sum()).sum()"
    graph = Graph("name")
    before = "in.name"
    for number in range(NODES):
        graph.node(f"n{number}", "transform", expression=f"{rows} > 0.0 ? value : ''")
        graph.wire(f"{before} > n{number}.value-in")
        before = f"n{number}.value-out"
    graph.node("text", "textBox", text="{{ name }} ok").node("out", "responseOutput")
    return graph.wire(f"{before} > text.name", "text.text-out > out.result-in")


async def measure_computing(folder: Path, slots: int) -> Computed:
    """Send many runs to one worker with `slots` slots."""
    with Fleet(folder, HEADRACE_WORKER_SLOTS=str(slots)) as fleet:
        fleet.start_gateway()
        fleet.start_workers(1)
        callers = Callers(Installation(fleet, "computing", computing()).endpoint)
        seen: list[dict[str, float]] = []
        watching = asyncio.create_task(_watch(fleet, seen))
        await callers.come([Phase(AT_ONCE_SECONDS, RUNS / AT_ONCE_SECONDS)])
        await callers.end()
        watching.cancel()
        return Computed(
            slots=slots,
            age=max(each[AGE] for each in seen),
            held=int(max(each[HELD] for each in seen)),
            calls=callers.calls,
        )


async def _watch(fleet: Fleet, seen: list[dict[str, float]]) -> None:
    while True:
        seen.append(await asyncio.to_thread(_read_gauges, fleet.gateway_port))
        await asyncio.sleep(LOOK_SECONDS)


def _read_gauges(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        name: float(re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)[0]) for name in (AGE, HELD)
    }
