"""The pages of curves and of archiving are written and drawn from figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.archiving import report as archiving_report
from tests.benchmarks.archiving.report import Burst, Memory, Result
from tests.benchmarks.curves import __main__ as curves
from tests.benchmarks.curves import report as curves_report
from tests.benchmarks.curves.report import Point
from tests.benchmarks.processes import REPOSITORY

FIGURES = {"runs_per_second": 2_000.0, "p50_ms": 0.5, "p95_ms": 1.5}


def test_curves_are_drawn_and_those_of_before_stay(tmp_path: Path) -> None:
    points = [Point(name=str(callers), figures=FIGURES) for callers in (1, 4)]
    nodes = [Point(name="10", figures=FIGURES | {"us_per_node": 50.0})]
    curves_report.write(tmp_path, {"nodes": nodes})

    curves_report.write(tmp_path, {"callers": points})

    page = (tmp_path / "curves.md").read_text()
    assert "| 4 | 2,000 | 0.500 | 1.500 |" in page
    assert "| 10 | 2,000 | 0.500 | 1.500 | 50.0 |" in page
    assert list(json.loads((tmp_path / "curves.json").read_text())) == ["callers", "nodes"]
    assert (tmp_path / "curves.svg").stat().st_size > 1_000


def test_every_curve_has_a_title() -> None:
    assert list(curves.CURVES) == list(curves_report.TITLES)


def test_the_page_of_archiving_tells_which_bars_are_reached(tmp_path: Path) -> None:
    burst = Burst(seconds=10, on_rate=1_000, off_rate=1_010, backlog=5_000, cleared_seconds=21)
    row = Memory(executions=1_000, seconds=1, redis_mb=3, backlog=0, processes_mb=200)
    workloads = {"sqlite": {"w1.p50_ms": [1.1, 1.0]}}

    archiving_report.write(tmp_path, Result(workloads=workloads))
    archiving_report.write(tmp_path, Result(bursts={"sqlite": burst}, memory=[row]))

    page = (tmp_path / "archiving.md").read_text()
    assert "| W1 p50, 1 caller (ms) | 1.100 | 1.000 | 1.100 | **no** |" in page
    assert "| 0.990 | yes | 5,000 | 21.0 | **no** |" in page
    assert "| 1,000 | 1 | 3.0 | 0 | 200 |" in page


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("module", "page"), [("curves", "curves.md"), ("archiving", "archiving.md")]
)
def test_a_quick_benchmark_measures_everything(module: str, page: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", "--quick"]

    done = subprocess.run(
        [*command, "--output", str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "|" in (tmp_path / page).read_text()
