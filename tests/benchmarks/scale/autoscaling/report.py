"""The page and the drawing of a burst with autoscaling."""

import math
import os
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

from tests.benchmarks.report import COLOURS, machine_line, shown
from tests.benchmarks.scale.autoscaling.burst import (
    LIMITS,
    SCRAPE_SECONDS,
    SLOTS,
    SYNC_SECONDS,
    TRIGGERS,
    Record,
)
from tests.benchmarks.scale.autoscaling.callers import RUN_SECONDS
from tests.benchmarks.scale.autoscaling.computing import Computed
from tests.benchmarks.scale.autoscaling.starts import Start, Starts

TEMPLATE = Path(__file__).with_name("page.md")
WINDOW_SECONDS = 3
"""Time over which callers are counted for one point of the drawing."""
P95 = 0.95


def write(folder: Path, record: Record, starts: Starts, computed: Sequence[Computed]) -> None:
    """Write autoscaling.md and autoscaling.svg into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "autoscaling.md").write_text(page(record, starts, computed))
    draw(folder / "autoscaling.svg", record)


def page(record: Record, starts: Starts, computed: Sequence[Computed]) -> str:
    """Return the page."""
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_line(),
        load=shown(os.getloadavg()[2]),
        seconds=f"{RUN_SECONDS:g}",
        slots=SLOTS,
        sync=f"{SYNC_SECONDS:g}",
        scrape=f"{SCRAPE_SECONDS:g}",
        age=f"{TRIGGERS[0].threshold:g}",
        held=f"{TRIGGERS[1].threshold:g}",
        up_period=f"{LIMITS.up.policies[0].period_seconds:g}",
        down_window=f"{LIMITS.down.window_seconds:g}",
        down_period=f"{LIMITS.down.policies[0].period_seconds:g}",
        most=LIMITS.most,
        figures=_table(find_figures(record)),
        starts=_starts_table(starts),
        runs=len(computed[0].calls),
        computed=_computed_table(computed),
        drain_held=starts.drain.held,
        drain_seconds=shown(starts.drain.seconds),
        drain_failed=starts.drain.failed,
        drain_repeated=starts.drain.repeated,
    )


def find_figures(record: Record) -> dict[str, str]:
    """Return the figures of a burst by their texts."""
    began, ended = record.began, record.ended
    second = min(at for at, count in record.ready if count > 1) - began
    last = max(at for at, count in record.ready if count > 1) - ended
    peak_age = max(value for _, value in record.ages)
    settled = max((at for at, value in record.ages if value > TRIGGERS[0].threshold), default=began)
    waits = record.calls
    return {
        "runs, each with a caller who waited": f"{len(waits):,}",
        "callers with an error or a wrong result": str(sum(not each.is_right for each in waits)),
        "executions with a node that was begun more than once": str(record.repeated),
        "from the begin of the burst to the second worker that takes work": f"{shown(second)} s",
        "greatest age of the oldest hint": f"{shown(peak_age)} s",
        f"from the begin of the burst until the age stayed below {TRIGGERS[0].threshold:g} s": (
            f"{shown(settled - began)} s"
        ),
        "most workers": str(max(count for _, count in record.ready)),
        "p95 of callers before the burst": f"{shown(p95_between(record, 0, began))} s",
        "p95 of callers who came while the age was above": (
            f"{shown(p95_between(record, began, settled))} s"
        ),
        "p95 of callers who came later in the burst": (
            f"{shown(p95_between(record, settled, ended))} s"
        ),
        "p95 of callers while workers ended": (
            f"{shown(p95_between(record, ended, ended + last))} s"
        ),
        "from the end of the burst to one worker": f"{shown(last)} s",
        "longest end of a worker, from SIGTERM": f"{shown(max(record.drains))} s",
        "workers that ended with an exit code other than 0": str(sum(map(bool, record.codes))),
    }


def p95_between(record: Record, begin: float, end: float) -> float:
    """Return the 95th percentile of the seconds of calls that began in a time; NaN without any."""
    found = sorted(each.seconds for each in record.calls if begin <= each.began < end)
    return found[math.ceil(len(found) * P95) - 1] if found else math.nan


def draw(path: Path, record: Record) -> None:
    """Draw the burst over time."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(4, 1, figsize=(9, 9), sharex=True)
    rates, ages, workers, waits = axes
    end = max(each.ended for each in record.calls)
    times = range(0, int(end), WINDOW_SECONDS)
    _line(rates, times, rate(record.arrivals, times), "callers come", COLOURS[1])
    _line(rates, times, rate([c.ended for c in record.calls], times), "runs end", COLOURS[0])
    _line(ages, *zip(*record.ages, strict=True), "age of the oldest hint", COLOURS[0])
    ages.axhline(TRIGGERS[0].threshold, color=COLOURS[2], label="threshold")
    wanted = [(each.at, each.workers) for each in record.decisions]
    workers.step(*zip(*wanted, strict=True), where="post", color=COLOURS[1], label="wanted")
    ready = zip(*record.ready, strict=True)
    workers.step(*ready, where="post", color=COLOURS[0], label="take work")
    tails = [p95_between(record, at, at + WINDOW_SECONDS) for at in times]
    _line(waits, times, tails, "p95 of callers, by their arrival", COLOURS[0])
    texts = ("per second", "seconds", "workers", "seconds")
    for axis, text in zip(axes, texts, strict=True):
        axis.axvspan(record.began, record.ended, color="#f2f2f2")
        axis.set_ylabel(text)
        axis.set_ylim(bottom=0)
        axis.legend(loc="upper right")
    waits.set_xlabel("seconds; the burst is grey")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def rate(times: Sequence[float], windows: Sequence[int]) -> Sequence[float]:
    """Return how many of the times are in a second of each window."""
    counts = Counter(int(at) // WINDOW_SECONDS for at in times)
    return [counts[at // WINDOW_SECONDS] / WINDOW_SECONDS for at in windows]


def _line(axis: Any, times: Any, values: Any, label: str, colour: str) -> None:
    axis.plot(times, values, label=label, color=colour)


def _table(figures: dict[str, str]) -> str:
    rows = [f"| {text} | {value} |" for text, value in figures.items()]
    return "\n".join(("| | |", "|---|---:|", *rows))


def _starts_table(starts: Starts) -> str:
    columns = ("a lease (s)", "its first answer (s)", "CPU until then (s)", "end while idle (s)")
    return "\n".join(
        (
            f"| start of a worker | {' | '.join(columns)} |",
            f"|---|{'---:|' * len(columns)}",
            _start_row("with bytecode of Python", starts.warm),
            _start_row("without, as the very first start", starts.without_bytecode),
        )
    )


def _computed_table(computed: Sequence[Computed]) -> str:
    columns = ("greatest age (s)", "most held by the worker", "p50 of callers (s)", "errors")
    lines = [
        f"| `HEADRACE_WORKER_SLOTS` | {' | '.join(columns)} |",
        f"|---:|{'---:|' * len(columns)}",
    ]
    for each in computed:
        half = statistics.median(call.seconds for call in each.calls)
        wrong = sum(not call.is_right for call in each.calls)
        cells = (f"{each.slots:,}", shown(each.age), str(each.held), shown(half), str(wrong))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _start_row(name: str, start: Start) -> str:
    cells = (start.listed, start.answered, start.cpu, start.drained)
    return f"| {name} | {' | '.join(map(shown, cells))} |"
