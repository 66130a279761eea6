"""The bars: what a measure of Headrace is held against."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.systems import FLOOR, HEADRACE, STOCK

Medians = dict[str, dict[str, float]]
"""System name to measure name to median."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Headrace's `measure` against `limit`, a multiple of something measured or a plain number."""

    workload: str
    text: str
    measure: str
    limit: Callable[[Medians], float]
    is_upper: bool = True

    def is_reached(self, medians: Medians) -> bool:
        value, limit = medians[HEADRACE][self.measure], self.limit(medians)
        return value <= limit if self.is_upper else value >= limit

    def is_known(self, medians: Medians) -> bool:
        """Whether everything that it needs was measured."""
        try:
            self.is_reached(medians)
        except KeyError:
            return False
        return True


def times(factor: float, system: str, measure: str) -> Callable[[Medians], float]:
    return lambda medians: factor * medians[system][measure]


def plain(limit: float) -> Callable[[Medians], float]:
    return lambda _: limit


BARS = (
    Bar(
        workload="start",
        text="memory of all processes ≤ 200 MB",
        measure="start.memory_mb",
        limit=plain(200.0),
    ),
    Bar(
        workload="start",
        text="CPU of a gateway ≤ 0.6 s",
        measure="start.gateway_cpu_s",
        limit=plain(0.6),
    ),
    Bar(
        workload="start",
        text="CPU of a worker ≤ 0.6 s",
        measure="start.worker_cpu_s",
        limit=plain(0.6),
    ),
    Bar(
        workload="W1",
        text="p50 at 1 caller ≤ 1.5 × floor",
        measure="w1.p50_ms",
        limit=times(1.5, FLOOR, "w1.p50_ms"),
    ),
    Bar(
        workload="W1",
        text="runs/s at 32 callers ≥ 0.8 × floor",
        measure="w1.runs_per_second",
        limit=times(0.8, FLOOR, "w1.runs_per_second"),
        is_upper=False,
    ),
    Bar(
        workload="W1",
        text="runs/s at 32 callers above Dramatiq",
        measure="w1.runs_per_second",
        limit=times(1.0, STOCK, "w1.runs_per_second"),
        is_upper=False,
    ),
    Bar(
        workload="W1",
        text="CPU of all processes per run ≤ 0.5 ms",
        measure="w1.cpu_ms",
        limit=plain(0.5),
    ),
    Bar(
        workload="W2",
        text="p50 ≤ 1.6 × floor",
        measure="w2.p50_ms",
        limit=times(1.6, FLOOR, "w2.p50_ms"),
    ),
    Bar(
        workload="W3",
        text="p50 ≤ 2 × floor",
        measure="w3.p50_ms",
        limit=times(2.0, FLOOR, "w3.p50_ms"),
    ),
    Bar(
        workload="W4",
        text="p50 ≤ 1.15 × floor",
        measure="w4.p50_ms",
        limit=times(1.15, FLOOR, "w4.p50_ms"),
    ),
    Bar(
        workload="W5",
        text="500 runs of 2 s at once ≤ 1.2 × floor",
        measure="w5.crowd_s",
        limit=times(1.2, FLOOR, "w5.crowd_s"),
    ),
    Bar(
        workload="W5",
        text="5,000 runs of 2 s at once ≤ 8 s",
        measure="w5.big_crowd_s",
        limit=plain(8.0),
    ),
    Bar(
        workload="W5",
        text="memory per waiting run ≤ 25 kB",
        measure="w5.kb_per_waiting_run",
        limit=plain(25.0),
    ),
    Bar(
        workload="W6",
        text="first run after 3 s ≤ 1.4 × floor",
        measure="w6.p50_ms",
        limit=times(1.4, FLOOR, "w6.p50_ms"),
    ),
    Bar(
        workload="W7",
        text="over the bare calls ≤ 8 ms",
        measure="w7.excess_ms",
        limit=plain(8.0),
    ),
)
