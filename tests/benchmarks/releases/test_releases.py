"""The bench of releases: its page has the figures, and it runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.releases.__main__ import page
from tests.benchmarks.releases.figures import MEASURES, PLAIN, Figures, Shares

FACTS = {
    "commit": "0123abcd",
    "base": "4567cdef",
    "load": (0.5, 2.0),
    "rounds": 2,
    "seconds": 1.5,
    "meanings": {PLAIN: "without", "canary": "with"},
}


def test_the_page_has_all_figures() -> None:
    samples = {
        name: {measure: [1.0 * factor, 3.0 * factor] for measure in MEASURES}
        for name, factor in ((PLAIN, 1), ("canary", 2))
    }
    found = Figures(samples, Shares(runs=10_000, canary=512, beside=9_488), (40.0, 80.0, 230.0))

    text = page(FACTS, found)

    assert "{" not in text
    assert "| canary: with | 4.000 | 2.00 [2.00, 2.00] | 4 | 2.00" in text
    assert "| 4.00 | 4.00 |" in text
    assert "the canary got 512, 5.12 %" in text
    assert "p50 80 ms, p95 230 ms" in text


@pytest.mark.slow
def test_the_bench_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.releases", "--quick"]

    done = subprocess.run(
        [*command, "--output", str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "releases.json").read_text())["figures"]
    assert set(figures["samples"]) >= {PLAIN, "before", "canary"}
    assert figures["shares"]["canary"] + figures["shares"]["beside"] == figures["shares"]["runs"]
    assert len(figures["back_ms"]) == 2
