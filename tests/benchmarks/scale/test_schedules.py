"""The measurement of schedules runs, with few of them."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.processes import REPOSITORY


@pytest.mark.thorough
@pytest.mark.timeout(300)
def test_schedules_of_one_minute_each_start_one_run() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.scale.schedules", "--schedules", "20"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    due, many, one = done.stdout.splitlines()
    assert due.startswith("20 schedules are due at ")
    for line in (many, one):
        assert re.search(r"each started one run: p50 \d+\.\d\d s, p99 \d+\.\d\d s, most", line)
