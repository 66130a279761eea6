"""The page and the record of the cost of watching."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.report import machine_line, shown
from tests.observability.cost.series import Stand
from tests.observability.cost.turns import Lines, Turns
from tests.observability.cost.ways import BEFORE, OFF, Way

MOST_OFF = 1.01
"""Bar: CPU per run with all off, as a multiple of that of the code before."""
NAME = "telemetry"
TEMPLATE = Path(__file__).with_name("page.md")
SHOWN = ("w1.cpu_ms", "w1.runs_per_second", "w1.p50_ms")
HEAD = ("way", "least CPU per run (ms)", "ratio", "median (ms)", "ratio")
HEAD_OF_SPEED = ("runs/s, 32 callers", "ratio", "p50 (ms)", "ratio")
NOTHING = "Not measured."


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All figures."""

    commit: str
    load: tuple[float, float]
    """Load average before and after."""
    rounds: int
    seconds: float
    turns: Turns
    lines: Lines | None
    stands: Sequence[Stand]


def write(folder: Path, ways: Sequence[Way], result: Result) -> None:
    """Write telemetry.md and telemetry.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.json").write_text(json.dumps(asdict(result), indent=2) + "\n")
    (folder / f"{NAME}.md").write_text(page(ways, result))


def page(ways: Sequence[Way], result: Result) -> str:
    """Return the page."""
    before, after = result.load
    return TEMPLATE.read_text(encoding="utf-8").format(
        machine=machine_line().rstrip("."),
        commit=result.commit,
        before=before,
        after=after,
        rounds=result.rounds,
        seconds=result.seconds,
        ways=_way_table(ways, result.turns),
        spans=_span_lines(ways, result.turns),
        bars=_bar_table(ways, result.turns),
        lines=_line_text(result.lines) if result.lines else NOTHING,
        series=_series_table(result.stands) if result.stands else NOTHING,
        largest=_largest(result.stands[-1]) if result.stands else "",
    )


def _way_table(ways: Sequence[Way], turns: Turns) -> str:
    rows = []
    for way in ways:
        least = turns.least(way.name)
        cells = [f"{way.name}: {way.meaning}", shown(least), f"{least / turns.least(OFF):.3f}"]
        for measure in SHOWN:
            low, middle, high = turns.ratios(way.name, measure)
            cells.append(shown(turns.median(way.name, measure)))
            cells.append(f"{middle:.3f} [{low:.3f}, {high:.3f}]")
        rows.append(cells)
    return _table((*HEAD, *HEAD_OF_SPEED), rows)


def _span_lines(ways: Sequence[Way], turns: Turns) -> str:
    lines = []
    for way in ways:
        counts = turns.counts.get(way.name, {})
        exported = counts.get("headrace_spans_exported_total", 0)
        if exported:
            dropped = counts["headrace_spans_dropped_total"]
            lines.append(f"`{way.name}` sent {exported:,.0f} spans and dropped {dropped:,.0f}.")
    return "\n".join(lines) or "No way sent spans."


def _bar_table(ways: Sequence[Way], turns: Turns) -> str:
    rows = []
    for way in ways:
        ratio = turns.least(way.name) / turns.least(OFF)
        if way.name == BEFORE:
            bar = f"`{OFF}` within {MOST_OFF - 1:.0%} of `{BEFORE}`"
            rows.append(_bar(bar, 1 / ratio, MOST_OFF))
        if way.most:
            rows.append(_bar(f"`{way.name}` within {way.most - 1:.0%} of `{OFF}`", ratio, way.most))
    return _table(("bar", "least CPU per run", "reached"), rows)


def _bar(bar: str, ratio: float, most: float) -> list[str]:
    return [bar, f"{ratio - 1:+.1%}", "yes" if ratio <= most else "no"]


def _line_text(lines: Lines) -> str:
    return (
        f"W1 with 32 callers for {lines.seconds:.1f} s, both logs in files: {lines.runs:,} runs "
        f"wrote {lines.requests:,} lines of\nrequests and {lines.executions:,} of executions, "
        f"{lines.rate:,.0f} lines/s; {lines.dropped:,.0f} were dropped."
    )


def _series_table(stands: Sequence[Stand]) -> str:
    head = ("workflows", "models", "series", "page (kB)", "to read it (ms)")
    rows = [
        [
            *(f"{number:,}" for number in (each.workflows, each.models, each.series)),
            *(shown(each.page_bytes / 1_000), shown(each.page_ms)),
        ]
        for each in stands
    ]
    return _table(head, rows)


def _largest(stand: Stand) -> str:
    largest = ", ".join(f"`{name}` {count:,}" for name, count in stand.largest)
    return f"Metrics with the most series at the end: {largest}."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
