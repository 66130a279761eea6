"""W1 with each way to watch, all stacks up at the same time and measured in turn."""

import contextlib
import dataclasses
import statistics
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvloop

from tests.benchmarks.systems import HEADRACE, Surroundings, System, started
from tests.benchmarks.workloads import CALLERS, load, measure_one_text
from tests.benchmarks.workloads import Effort as WorkloadEffort
from tests.observability.cost.ways import OFF, Way
from tests.support.metrics.samples import parse_samples

WORKERS = 2
MEASURES = ("w1.cpu_ms", "w1.runs_per_second", "w1.p50_ms", "w1.p99_ms")
COUNTS = (
    *("headrace_spans_exported_total", "headrace_spans_dropped_total"),
    "headrace_log_lines_dropped_total",
)
PUBLISHED_SECONDS = 7.0
"""Time until all counts of processes are on the page of metrics."""

Samples = dict[str, dict[str, list[float]]]


@dataclass
class Lines:
    """Lines of logs at full load."""

    runs: int
    seconds: float
    requests: int
    """Lines of the access log."""
    executions: int
    dropped: float

    @property
    def rate(self) -> float:
        """Return the lines per second of both logs."""
        return (self.requests + self.executions) / self.seconds


@dataclass
class Turns:
    """Samples by way and measure, one for each round, and counts at the end."""

    samples: Samples = field(default_factory=dict)
    counts: dict[str, dict[str, float]] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

    def median(self, way: str, measure: str) -> float:
        return statistics.median(self.samples[way][measure])

    def least(self, way: str) -> float:
        """Return the least CPU per run: other load of the machine adds to it."""
        return min(self.samples[way]["w1.cpu_ms"])

    def ratios(self, way: str, measure: str) -> tuple[float, float, float]:
        """Return the quartiles of the ratio to `off`, round by round."""
        pairs = zip(self.samples[way][measure], self.samples[OFF][measure], strict=True)
        found = sorted(value / of_off for value, of_off in pairs)
        if len(found) < 2:
            return found[0], found[0], found[0]
        low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
        return low, middle, high


@contextlib.contextmanager
def running(ways: Sequence[Way], around: Surroundings, settle: float) -> Iterator[list[System]]:
    """Run a stack for each way."""
    with contextlib.ExitStack() as closing:
        systems = []
        for way in ways:
            folder = around.folder / way.name.replace(" ", "-")
            folder.mkdir(exist_ok=True)
            own = dataclasses.replace(around, folder=folder)
            system = closing.enter_context(started(HEADRACE, own, WORKERS, **way.environ))
            system.name = way.name
            systems.append(system)
        time.sleep(settle)
        yield systems


def measure(
    systems: Sequence[System], around: Surroundings, effort: WorkloadEffort, rounds: int
) -> Turns:
    """Measure all systems in each round; a later one begins each round."""
    turns = Turns()
    for number in range(rounds):
        first = number % len(systems)
        for system in [*systems[first:], *systems[:first]]:
            found = uvloop.run(measure_one_text(system, around, effort))
            of_system = turns.samples.setdefault(system.name, {})
            for name in MEASURES:
                of_system.setdefault(name, []).append(found[name])
            shown = ", ".join(f"{name} {found[name]:.3f}" for name in MEASURES)
            print(f"{number + 1} {system.name}: {shown}", flush=True)
    time.sleep(PUBLISHED_SECONDS)
    turns.counts = {system.name: read_counts(system) for system in systems}
    return turns


def read_counts(system: System) -> dict[str, float]:
    """Return the sum of each count on the page of metrics; 0 for one that is not there."""
    found = dict.fromkeys(COUNTS, 0.0)
    for sample in parse_samples(read_page(system)):
        if sample.name in found:
            found[sample.name] += sample.value
    return found


def read_page(system: System) -> str:
    """Return the page of metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{system.port}/metrics", timeout=60) as answer:
        return str(answer.read().decode())


def count_lines(
    system: System, around: Surroundings, effort: WorkloadEffort, names: tuple[str, str]
) -> Lines:
    """Count the lines of both logs that a load of W1 writes."""
    calls = load(system, "w1")
    files = [around.folder / name for name in names]
    before = [_lines_in(path.read_bytes()) for path in files]
    dropped = read_counts(system)["headrace_log_lines_dropped_total"]
    began = time.perf_counter()
    uvloop.run(calls.together(CALLERS, effort.seconds * 5))
    seconds = time.perf_counter() - began
    time.sleep(PUBLISHED_SECONDS)
    after = [_lines_in(path.read_bytes()) for path in files]
    return Lines(
        runs=calls.count,
        seconds=seconds,
        requests=after[0] - before[0] - 1,  # the page of metrics was read meanwhile
        executions=after[1] - before[1],
        dropped=read_counts(system)["headrace_log_lines_dropped_total"] - dropped,
    )


def _lines_in(data: bytes) -> int:
    return data.count(b"\n")
