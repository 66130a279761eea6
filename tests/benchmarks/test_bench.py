"""The bench itself runs, start to finish, in its smallest size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.report import MEASURES
from tests.benchmarks.systems import FLOOR, HEADRACE


@pytest.mark.timeout(60)
def test_a_quick_bench_measures_everything_and_writes_its_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--output", str(tmp_path)]

    done = subprocess.run(
        [*command, "--systems", HEADRACE, FLOOR], cwd=REPOSITORY, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    for system in (HEADRACE, FLOOR):
        numbers = results["medians"][system]
        assert set(numbers) == set(MEASURES)
        assert all(number is not None for number in numbers.values())
    assert "| W1 |" in (tmp_path / "results.md").read_text()
    assert (tmp_path / "results.png").stat().st_size > 1_000
