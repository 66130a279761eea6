"""The figures of archiving as a page and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.benchmarks.report import MEASURES, machine_line, shown

MOST = 1.05
"""Bar: time with archiving as a multiple of the time without it."""
MOST_CLEARING = 2.0
"""Bar: time until the backlog is cleared, as a multiple of the burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Runs per second of a burst, and the backlog after it."""

    seconds: float
    on_rate: float
    off_rate: float
    backlog: float
    cleared_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory after a number of executions."""

    executions: int
    seconds: float
    redis_mb: float
    backlog: int
    processes_mb: float


@dataclass(slots=True)
class Result:
    """Figures by database."""

    workloads: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Measure to its medians with archiving and without it."""
    bursts: dict[str, Burst] = field(default_factory=dict)
    memory: list[Memory] = field(default_factory=list)


def write(folder: Path, result: Result) -> None:
    """Write archiving.md and archiving.json; parts that were not measured now stay."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "archiving.json"
    former = _read(path)
    result.workloads = former.workloads | result.workloads
    result.bursts = former.bursts | result.bursts
    result.memory = result.memory or former.memory
    path.write_text(json.dumps(asdict(result), indent=2) + "\n")
    (folder / "archiving.md").write_text("\n".join(page(result)) + "\n")


def _read(path: Path) -> Result:
    if not path.exists():
        return Result()
    record = json.loads(path.read_text())
    return Result(
        workloads=record["workloads"],
        bursts={name: Burst(**each) for name, each in record["bursts"].items()},
        memory=[Memory(**each) for each in record["memory"]],
    )


def page(result: Result) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Archiving"
    yield ""
    yield machine_line()
    yield "Two stacks at the same time, measured in turn; in one of them the archiver is stopped."
    yield "`python -m tests.benchmarks.archiving` measures again."
    for kind, measures in result.workloads.items():
        yield from _workload_table(kind, measures)
    if result.bursts:
        yield from _burst_table(result.bursts)
    if result.memory:
        yield from _memory_table(result.memory)


def _workload_table(kind: str, measures: dict[str, list[float]]) -> Iterator[str]:
    yield ""
    yield f"| {kind} | archiving | without | ratio | ≤ {MOST:g} |"
    yield "|---|---:|---:|---:|---|"
    for name, (on, off) in measures.items():
        verdict = _verdict(on <= MOST * off)
        yield f"| {MEASURES[name]} | {shown(on)} | {shown(off)} | {on / off:.3f} | {verdict} |"


def _burst_table(bursts: dict[str, Burst]) -> Iterator[str]:
    yield ""
    yield (
        "| burst, 32 callers | runs/s, archiving | without | ratio | within 5 % "
        "| backlog | cleared in (s) | ≤ 2 × burst |"
    )
    yield "|---|---:|---:|---:|---|---:|---:|---|"
    for kind, each in bursts.items():
        cells = (
            f"{kind}, {each.seconds:g} s",
            shown(each.on_rate),
            shown(each.off_rate),
            f"{each.on_rate / each.off_rate:.3f}",
            _verdict(each.on_rate * MOST >= each.off_rate),
            f"{each.backlog:,.0f}",
            shown(each.cleared_seconds),
            _verdict(each.cleared_seconds <= MOST_CLEARING * each.seconds),
        )
        yield f"| {' | '.join(cells)} |"


def _memory_table(rows: list[Memory]) -> Iterator[str]:
    yield ""
    yield "Memory of Redis over executions in a row, which it forgets soon after their end."
    yield "Processes have what the archiver's connections keep of the database in memory:"
    yield ""
    yield "| executions | seconds | Redis (MB) | not archived yet | processes (MB) |"
    yield "|---:|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row.executions:,} | {row.seconds:.0f} | {row.redis_mb:.1f} | {row.backlog:,} "
            f"| {row.processes_mb:.0f} |"
        )


def _verdict(is_reached: bool) -> str:
    return "yes" if is_reached else "**no**"
