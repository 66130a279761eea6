"""The bench itself runs, start to finish, in its smallest size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.report import MEASURES
from tests.benchmarks.systems import FLOOR, HEADRACE


def measure(folder: Path, *options: str) -> dict[str, dict[str, float | None]]:
    """Run the bench in its smallest size; return the numbers of each system."""
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--output", str(folder)]

    done = subprocess.run([*command, *options], cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert (folder / "results.md").read_text().startswith("# Benchmarks\n")
    assert (folder / "results.png").stat().st_size > 1_000
    medians: dict[str, dict[str, float | None]]
    medians = json.loads((folder / "results.json").read_text())["medians"]
    return medians


def test_a_quick_bench_of_one_workload_writes_its_page(tmp_path: Path) -> None:
    numbers = measure(tmp_path, "--only", "W1", "--systems", FLOOR)[FLOOR]

    assert [name for name in MEASURES if name.startswith("w1.") and numbers[name] is None] == []


@pytest.mark.thorough
def test_a_quick_bench_measures_everything(tmp_path: Path) -> None:
    medians = measure(tmp_path, "--systems", HEADRACE, FLOOR)

    for system in (HEADRACE, FLOOR):
        assert set(medians[system]) == set(MEASURES)
        assert all(number is not None for number in medians[system].values())
    assert "| W1 |" in (tmp_path / "results.md").read_text()
