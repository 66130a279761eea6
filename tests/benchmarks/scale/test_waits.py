"""The measurement of waits runs, with few of them."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.processes import REPOSITORY


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_runs_that_wait_are_counted_and_go_on() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.scale.waits",
        "--parked",
        "50",
        "--due",
        "20",
    ]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    alone, before, parked, during, beside = done.stdout.splitlines()
    for line, state in ((alone, "nothing else waits"), (beside, "50 runs wait")):
        assert line.startswith(f"20 runs go on at one moment while {state}: ended p50 ")
    for line, state in ((before, "nothing waits"), (during, "50 runs wait")):
        assert re.match(rf"{state}: \d+ commands/s, \d+\.\d % of a core in all parts", line)
    assert re.match(r"50 runs of 10 accounts wait after \d+ s: -?\d+ bytes of Redis each", parked)
