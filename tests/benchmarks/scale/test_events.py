"""The measurement of events runs, with few of them."""

import subprocess
import sys

import pytest

from tests.benchmarks.processes import REPOSITORY


@pytest.mark.thorough
def test_the_figures_of_events_have_their_line() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.scale.events"]
    command += ["--rate", "20", "--seconds", "2"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("40 events, 20 a second, 4 sent twice: 40 runs; p50 ")
