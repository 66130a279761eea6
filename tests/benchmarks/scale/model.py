"""The model of scale: needs of a rate of runs and of waiting executions, from measured costs.

A run costs each process `fixed + shared / n` CPU seconds while n runs are under way there at once,
since a process that wakes up works for all of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.scale.runs import RunUse
from tests.benchmarks.scale.usage import Use
from tests.benchmarks.scale.waiting import Resend, Waiting

BUSY = 0.6
"""Share of a core that is planned with, so that a machine that dies is made up for."""
UNDER_WAY = 8
"""Runs that are under way at once in each gateway and worker."""
RESEND_SECONDS = 5.0
RESEND_SECONDS_EACH = 0.001
"""A hint is repeated after this time, longer by the second number for each waiting hint."""
FEW, MANY = 1, 64
"""Callers of the two measurements that set the cost of a run; others check it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All measurements of a session."""

    runs: Mapping[int, RunUse]
    """Short runs by callers at once."""
    models: RunUse
    """Runs with three calls of a model, at `UNDER_WAY` callers."""
    webhooks: RunUse
    """Runs in the background that are told to a webhook."""
    idle: Mapping[int, Use]
    """Second of the parts by workers, without a gateway."""
    idle_gateway: Use
    """Second of one more gateway."""
    worker_megabytes: float
    gateway_megabytes: float
    waiting: Sequence[Waiting]
    resend: Resend
    publication_cpu: float
    """CPU seconds of a message to a channel, at each primary of a cluster but the first."""
    hint_cpu: float
    """CPU seconds of a hint that is sent and taken, at the primary of its queue."""
    load_average: float
    """Load of the machine in the last minutes of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Prediction beside a measurement that the model was not made of."""

    what: str
    unit: str
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """Return the error of the prediction as a share of the measurement."""
        return self.predicted / self.measured - 1 if self.measured else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Needs of a rate of runs; sizes in bytes."""

    primaries: int
    redis_cores: float
    """Cores that all primaries use together."""
    queue_cores: float
    """Cores that the primary of the queue uses for hints and messages alone."""
    gateways: int
    workers: int
    bytes_per_second: float
    memory_per_hot_minute: float


class Model:
    """Predictions from some of the measurements."""

    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        few, many = measured.runs[FEW].use, measured.runs[MANY].use
        self._shared = (few - many) / (1 / FEW - 1 / MANY)
        self._fixed = few - self._shared / FEW
        counts = sorted(measured.idle)
        first, last = counts[0], counts[1]
        self.worker = (measured.idle[last] - measured.idle[first]) / (last - first)
        """Second of one more worker without work."""
        self.base = measured.idle[first] - self.worker * first
        """Second of what an installation does once: sweeping, and the server itself."""

    def run(self, under_way: float) -> Use:
        """Return the use of a short run while some are under way at once."""
        return self._fixed + self._shared / under_way

    def idle(self, workers: int, gateways: int = 0) -> Use:
        """Return the use of a second with parts without work."""
        return self.base + self.worker * workers + self.measured.idle_gateway * gateways

    def waiting(self, count: int) -> Waiting:
        """Return the use while executions wait: the first two measurements, continued."""
        first, second = self.measured.waiting[:2]
        more = second.executions - first.executions
        each = (second.idle - first.idle) / more
        sizes = second.bytes_each * second.executions - first.bytes_each * first.executions
        return Waiting(
            executions=count,
            bytes_each=sizes / more,
            idle=first.idle + each * (count - first.executions),
        )

    def resends(self, count: int) -> float:
        """Return the repeated hints in a second of executions that no worker takes."""
        return count / (RESEND_SECONDS + RESEND_SECONDS_EACH * count)

    def needs(self, rate: float, use: Use) -> Needs:
        """Return the needs of so many runs a second, each with this use."""
        workers = math.ceil(rate * use.worker_cpu / BUSY)
        gateways = math.ceil(rate * use.gateway_cpu / BUSY)
        at_rest = self.idle(workers, gateways).redis_cpu
        published = rate * self.measured.publication_cpu
        queue = rate * self.measured.hint_cpu + published
        primaries = 1
        while (total := self._redis_cores(rate, use, at_rest, primaries)) > BUSY * primaries:
            primaries += 1
        return Needs(
            primaries=primaries,
            redis_cores=total,
            queue_cores=queue,
            gateways=gateways,
            workers=workers,
            bytes_per_second=rate * (use.received + use.sent),
            memory_per_hot_minute=rate * 60 * use.memory,
        )

    def _redis_cores(self, rate: float, use: Use, at_rest: float, primaries: int) -> float:
        others = rate * self.measured.publication_cpu * (primaries - 1)
        return rate * use.redis_cpu + at_rest + others

    def checks(self) -> list[Check]:
        """Return each prediction of a measurement that the model was not made of."""
        return [*self._run_checks(), *self._idle_checks(), *self._waiting_checks()]

    def _run_checks(self) -> list[Check]:
        found = []
        for callers in sorted(set(self.measured.runs) - {FEW, MANY}):
            predicted, seen = self.run(callers), self.measured.runs[callers].use
            for part in ("redis", "gateway", "worker"):
                name = f"{part}_cpu"
                pair = getattr(predicted, name) * 1e6, getattr(seen, name) * 1e6
                what = f"CPU of {PARTS[part]} per run, {callers} callers"
                found.append(Check(what=what, unit="µs", predicted=pair[0], measured=pair[1]))
            pair = predicted.received + predicted.sent, seen.received + seen.sent
            what = f"bytes to and from Redis per run, {callers} callers"
            found.append(Check(what=what, unit="bytes", predicted=pair[0], measured=pair[1]))
        return found

    def _idle_checks(self) -> list[Check]:
        found = []
        for workers in sorted(self.measured.idle)[2:]:
            predicted, seen = self.idle(workers), self.measured.idle[workers]
            for name, factor, unit in IDLE_FIGURES:
                pair = getattr(predicted, name) * factor, getattr(seen, name) * factor
                what = f"{IDLE_NAMES[name]}, {workers} idle workers"
                found.append(Check(what=what, unit=unit, predicted=pair[0], measured=pair[1]))
        return found

    def _waiting_checks(self) -> list[Check]:
        found = []
        for seen in self.measured.waiting[2:]:
            predicted, count = self.waiting(seen.executions), f"{seen.executions:,} waiting"
            for what, unit, one, other in (
                ("memory of each", "bytes", predicted.bytes_each, seen.bytes_each),
                (
                    *("CPU of Redis in a second", "ms"),
                    *(each.idle.redis_cpu * 1e3 for each in (predicted, seen)),
                ),
            ):
                name = f"{what}, {count}"
                found.append(Check(what=name, unit=unit, predicted=one, measured=other))
        return found


PARTS = {"redis": "Redis", "gateway": "gateways", "worker": "workers"}
IDLE_FIGURES = (
    ("commands", 1.0, ""),
    ("connections", 1.0, ""),
    ("redis_cpu", 1e3, "ms"),
    ("worker_cpu", 1e3, "ms"),
)
IDLE_NAMES = {
    "commands": "commands in a second",
    "connections": "connections",
    "redis_cpu": "CPU of Redis in a second",
    "worker_cpu": "CPU of all workers in a second",
}
