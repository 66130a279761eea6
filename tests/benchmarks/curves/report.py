"""The curves as a page, as JSON and as a picture."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib

from tests.benchmarks.report import COLOURS, machine_line, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One place of a curve, with its figures by name."""

    name: str
    figures: dict[str, float] = field(default_factory=dict)


Curves = Mapping[str, Sequence[Point]]

FIGURES = {
    "runs_per_second": "runs/s",
    "p50_ms": "p50 (ms)",
    "p95_ms": "p95 (ms)",
    "us_per_node": "per node (µs)",
    "list_p50_ms": "list, p50 (ms)",
    "list_p95_ms": "list, p95 (ms)",
}
TITLES = {
    "callers": ("Callers", "W1 over callers, 1 gateway and 2 workers."),
    "processes": ("Gateways + workers", "W1 at 32 callers over gateways + workers."),
    "nodes": ("Nodes", "1 → n → 1 texts, 1 caller: the time per node must not grow."),
    "records": (
        "Executions on record",
        "W1 at 32 callers, and a page of failed executions: must be flat.",
    ),
}
SECOND = {"nodes": "us_per_node", "records": "list_p95_ms"}
"""Figure that a curve draws instead of the latency."""


def write(folder: Path, curves: Curves) -> None:
    """Write curves.md, curves.json and curves.svg into the folder.

    Curves that its curves.json has and that were not measured now stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    curves = {name: points for name, points in (_read(folder) | dict(curves)).items() if points}
    record = {
        name: [{"name": point.name, "figures": point.figures} for point in points]
        for name, points in curves.items()
    }
    (folder / "curves.json").write_text(json.dumps(record, indent=2) + "\n")
    (folder / "curves.md").write_text("\n".join(page(curves)) + "\n")
    draw(folder / "curves.svg", curves)


def _read(folder: Path) -> dict[str, Sequence[Point]]:
    """Return the curves of the folder, in the order of the page."""
    try:
        record = json.loads((folder / "curves.json").read_text())
    except FileNotFoundError:
        record = {}
    return {name: [Point(**each) for each in record.get(name, [])] for name in TITLES}


def page(curves: Curves) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Curves"
    yield ""
    yield machine_line()
    yield "Medians of repetitions, the points of a curve in turn; the client is beside the"
    yield "processes on the same cores, and every answer is checked."
    yield "`make bench BENCH=--curves` measures them again."
    yield ""
    yield "![The curves](curves.svg)"
    for name, points in curves.items():
        head, text = TITLES[name]
        names = [each for each in FIGURES if each in points[0].figures]
        yield ""
        yield text
        yield ""
        yield f"| {head} | " + " | ".join(FIGURES[each] for each in names) + " |"
        yield "|---:|" + "---:|" * len(names)
        for point in points:
            cells = " | ".join(shown(point.figures[each]) for each in names)
            yield f"| {point.name} | {cells} |"


def draw(path: Path, curves: Curves) -> None:
    """Draw each curve: runs/s on the left, latency or another figure on the right."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7), squeeze=False)
    for axis in axes.flat[len(curves) :]:
        axis.set_visible(False)
    for axis, (name, points) in zip(axes.flat, curves.items(), strict=False):
        _draw_curve(axis, name, points)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _draw_curve(axis: Any, name: str, points: Sequence[Point]) -> None:
    names = [point.name for point in points]
    other = SECOND.get(name, "p95_ms")
    right = axis.twinx()
    for each, figure, colour in ((axis, "runs_per_second", COLOURS[0]), (right, other, COLOURS[2])):
        each.plot(names, [point.figures[figure] for point in points], marker="o", color=colour)
        each.set_ylabel(FIGURES[figure], color=colour)
        each.set_ylim(bottom=0)
    axis.set_title(TITLES[name][0], fontsize=9)
