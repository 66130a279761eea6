"""The page shows median and worst of each figure, and the drawing has the events."""

import json
from pathlib import Path

from tests.support.hosts.page import TIMELINE, row, spans_of_cuts, write

EVENTS = [(1.0, "w1 cut off"), (2.5, "w1 back"), (3.0, "w2 drained")]


def test_the_worst_is_the_longest_time_and_the_least_throughput() -> None:
    assert row("lost (s)", [3.0, 1.0, 2.0]) == "| lost (s) | 2.00 | 3.00 | 3 |"
    assert row("3 workers (runs/s)", [30, 20, 40]) == "| 3 workers (runs/s) | 30.0 | 20.0 | 3 |"
    assert row("runs checked", [1_000, 1_500]) == "| runs checked | 2,500 | | |"


def test_a_host_is_away_from_its_cut_to_its_return() -> None:
    assert list(spans_of_cuts(EVENTS)) == [(1.0, 2.5)]


def test_page_and_drawing_are_written(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    scenes = {
        "a host is cut off": {"figures": {"lost (s)": [3.0]}},
        TIMELINE: {"figures": {"runs checked": [3]}, "ends": [0.5, 1.2, 3.4], "events": EVENTS},
    }
    figures.write_text(json.dumps({"measured": "today", "repeats": 1, "scenes": scenes}))

    write(figures, tmp_path)

    page = (tmp_path / "hosts.md").read_text()
    assert "### A host is cut off" in page and "| lost (s) | 3.00 | 3.00 | 1 |" in page
    assert (tmp_path / "hosts.svg").stat().st_size > 1_000
