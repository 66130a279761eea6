"""`python -m tests.support.hosts.page FIGURES`: page and drawing of the figures of scenes."""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

PAGE = Path(__file__).with_suffix(".md")
FOLDER = Path(__file__).parents[3] / "docs" / "benchmarks"
HEADER = "| | median | worst | values |\n|---|---:|---:|---:|"
TIMELINE = "what happens to hosts one after another"
COUNTED = ("(s)", "(ms)", "(runs/s)")
"""Units of figures with a median; all others are numbers that are added."""


def render(kept: Mapping[str, Any]) -> str:
    """Return the page."""
    scenes = kept["scenes"]
    text = "\n".join(
        f"### {name[0].upper()}{name[1:]}\n\n{HEADER}\n{table(scene['figures'])}\n"
        for name, scene in scenes.items()
        if name != TIMELINE
    )
    return PAGE.read_text().format(measured=kept["measured"], repeats=kept["repeats"], scenes=text)


def table(figures: Mapping[str, Sequence[float]]) -> str:
    """Return a row for each figure."""
    return "\n".join(row(name, values) for name, values in figures.items())


def row(name: str, values: Sequence[float]) -> str:
    """Return median and worst of values with a unit, and the sum of others."""
    if not name.endswith(COUNTED):
        return f"| {name} | {sum(values):,.0f} | | |"
    worst = min(values) if name.endswith("(runs/s)") else max(values)
    digits = 0 if name.endswith("(ms)") else 1 if name.endswith("(runs/s)") else 2
    median = statistics.median(values)
    return f"| {name} | {median:.{digits}f} | {worst:.{digits}f} | {len(values)} |"


def draw(path: Path, ends: Sequence[float], events: Sequence[tuple[float, str]]) -> None:
    """Draw the runs that ended in each second, and the events."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "hosts"
    counts = Counter(int(end) for end in ends)
    last = int(max(moment for moment, _ in events)) + 8
    seconds = range(last)
    figure, axes = pyplot.subplots(figsize=(11, 4.2))
    axes.step(seconds, [counts[second] for second in seconds], where="post", color="#1f5fa8")
    axes.set(xlabel="seconds", ylabel="runs that ended in a second", xlim=(0, last))
    axes.set_ylim(0, max(counts[second] for second in seconds) * 1.9)
    for moment, text in events:
        axes.axvline(moment, color="#888888", linewidth=0.8)
        axes.text(
            *(moment + 0.3, axes.get_ylim()[1] * 0.98, text),
            rotation=90, va="top", ha="left", fontsize=8,
        )  # fmt: skip
    for start, end in spans_of_cuts(events):
        axes.axvspan(start, end, color="#d9534f", alpha=0.12)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def spans_of_cuts(events: Sequence[tuple[float, str]]) -> Iterator[tuple[float, float]]:
    """Yield the times during which a host was away, by the texts of the events."""
    away: dict[str, float] = {}
    for moment, text in events:
        name = text.split()[0]
        if "cut off" in text or "killed" in text:
            away[name] = moment
        elif name in away and ("back" in text or "started" in text):
            yield away.pop(name), moment


def write(figures: Path, folder: Path = FOLDER) -> None:
    """Write page and drawing into a folder."""
    kept = json.loads(figures.read_text())
    (folder / "hosts.md").write_text(render(kept))
    timeline = kept["scenes"][TIMELINE]
    draw(folder / "hosts.svg", timeline["ends"], timeline["events"])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
