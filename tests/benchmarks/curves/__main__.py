"""`python -m tests.benchmarks.curves`: runs/s and latency over callers, processes, nodes, records.

Writes `curves.md`, `curves.json` and `curves.svg`. A few minutes; `--only` measures some curves
again.
"""

import argparse
import contextlib
import math
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvloop

from engine.history.database.connections import Database
from engine.history.database.location import sqlite_url
from tests.benchmarks.client import Load
from tests.benchmarks.curves import report
from tests.benchmarks.curves.report import Point
from tests.benchmarks.graphs import fan_document
from tests.benchmarks.history.data import load as load_history
from tests.benchmarks.processes import benchmarks_folder
from tests.benchmarks.references.programs import expected, run_fan
from tests.benchmarks.systems import HEADRACE, Surroundings, System, save, started

HOT_MINUTES = "0.1"
OTHER_NODES = 4
"""Nodes of a fan beside its texts: input, first text, join, output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Points of the curves, and length of a measurement."""

    seconds: float
    warm_up: float
    repetitions: int
    callers: tuple[int, ...]
    processes: tuple[tuple[int, int], ...]
    """Gateways and workers."""
    nodes: tuple[int, ...]
    records: tuple[int, ...]
    list_calls: int
    many: int = 32
    """Callers of all curves but the first."""


FULL = Effort(
    seconds=3.0,
    warm_up=1.0,
    repetitions=3,
    callers=(1, 4, 16, 64, 256),
    processes=((1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 4)),
    nodes=(10, 100, 1_000),
    records=(10_000, 1_000_000),
    list_calls=50,
)
QUICK = Effort(
    seconds=0.2,
    warm_up=0.1,
    repetitions=1,
    callers=(1, 4),
    processes=((2, 1),),
    nodes=(10, 20),
    records=(100, 300),
    list_calls=3,
)


def main() -> int:
    """Measure the curves and write them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.curves", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CURVES))
    parser.add_argument("--quick", action="store_true", help="a smoke run, no figures to trust")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    names = arguments.only or list(CURVES)
    folder = arguments.output or benchmarks_folder(is_kept=not arguments.quick)
    found: dict[str, list[Point]] = {}
    for name in names:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            around = Surroundings(folder=Path(scratch), target="http://127.0.0.1:9", wait_ms=1)
            began = time.monotonic()
            found[name] = CURVES[name](around, effort)
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    report.write(folder, found)
    print(f"curves in {folder}")
    return 0


def over_callers(around: Surroundings, effort: Effort) -> list[Point]:
    """Measure W1 over numbers of callers."""
    with started(HEADRACE, around, 2) as system:
        measures = {
            str(callers): partial(run, text_load(system), callers) for callers in effort.callers
        }
        return in_turn(measures, effort)


def over_processes(around: Surroundings, effort: Effort) -> list[Point]:
    """Measure W1 over numbers of gateways and workers."""
    points = []
    for gateways, workers in effort.processes:
        with started(HEADRACE, around, workers, gateways) as system:
            name = f"{gateways} + {workers}"
            points += in_turn({name: partial(run, text_load(system), effort.many)}, effort)
    return points


def over_nodes(around: Surroundings, effort: Effort) -> list[Point]:
    """Measure fans of several widths, one caller; adds the time per node."""
    with started(HEADRACE, around, 2) as system:
        measures = {}
        for nodes in effort.nodes:
            width = nodes - OTHER_NODES
            load = Load(save(system, fan_document(width)), partial(run_fan, width=width))
            measures[str(nodes)] = partial(run, load, 1)
        points = in_turn(measures, effort)
    for point in points:
        point.figures["us_per_node"] = point.figures["p50_ms"] * 1_000 / int(point.name)
    return points


def over_records(around: Surroundings, effort: Effort) -> list[Point]:
    """Measure W1 and lists of executions over numbers of executions in the history."""
    points: list[Point] = []
    with started(HEADRACE, around, 2, HEADRACE_HOT_MINUTES=HOT_MINUTES) as system:
        on_record = 0
        for records in effort.records:
            with contextlib.closing(Database(sqlite_url(system.data_dir))) as database:
                load_history(
                    database, records - on_record, account_id=system.account_id, seed=records
                )
            on_record = records
            measures = {f"{records:,}": partial(run, text_load(system), effort.many)}
            (point,) = in_turn(measures, effort)
            times = sorted(list_page(system) for _ in range(effort.list_calls))
            point.figures["list_p50_ms"] = statistics.median(times) * 1_000
            point.figures["list_p95_ms"] = high(times) * 1_000
            points.append(point)
    return points


CURVES: dict[str, Callable[[Surroundings, Effort], list[Point]]] = {
    "callers": over_callers,
    "processes": over_processes,
    "nodes": over_nodes,
    "records": over_records,
}


def text_load(system: System) -> Load:
    """Return a load of W1."""
    return Load(system.endpoints["w1"], partial(expected, "w1"))


def run(load: Load, callers: int, seconds: float) -> list[float]:
    """Return the seconds of all runs of some callers."""
    return uvloop.run(load.timed(callers, seconds))


def in_turn(measures: dict[str, Callable[[float], list[float]]], effort: Effort) -> list[Point]:
    """Measure all points in turn, several times; each figure is the median."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in measures}
    for measure in measures.values():
        measure(effort.warm_up)
    for _ in range(effort.repetitions):
        for name, measure in measures.items():
            began = time.perf_counter()
            times = sorted(measure(effort.seconds))
            seconds = time.perf_counter() - began
            figures = {
                "runs_per_second": len(times) / seconds,
                "p50_ms": statistics.median(times) * 1_000,
                "p95_ms": high(times) * 1_000,
            }
            found[name].append(figures)
            print(f"{name}: {', '.join(f'{k} {v:.2f}' for k, v in figures.items())}", flush=True)
    return [Point(name=name, figures=medians(each)) for name, each in found.items()]


def medians(samples: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(each[name] for each in samples) for name in samples[0]}


def high(times: list[float]) -> float:
    """Return the 95th percentile of sorted times."""
    return times[math.ceil(0.95 * len(times)) - 1]


def list_page(system: System) -> float:
    """Return the seconds of one page of failed executions."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.port}/api/executions?status=failed&limit=50",
        headers={"x-api-key": system.key},
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request) as response:
        response.read()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
