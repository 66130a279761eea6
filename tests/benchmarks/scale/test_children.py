"""The measurement of children runs, with few items."""

import subprocess
import sys

import pytest

from tests.benchmarks.processes import REPOSITORY


@pytest.mark.thorough
def test_each_figure_of_children_has_its_line() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.scale.children"]
    command += ["--items", "20", "--many", "30", "--rounds", "1"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    texts, calls, levels, many = done.stdout.splitlines()
    assert texts.startswith("20 items of one text: ")
    assert calls.startswith("20 calls of 100 ms, 100 at once: ")
    assert levels.startswith("a chain of 8 levels: ")
    assert many.startswith("30 items: ")
