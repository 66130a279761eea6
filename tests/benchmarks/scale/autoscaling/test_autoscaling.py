"""The figures of a burst, and the whole measurement with a short one."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.processes import REPOSITORY
from tests.benchmarks.scale.autoscaling.burst import Record
from tests.benchmarks.scale.autoscaling.callers import Call
from tests.benchmarks.scale.autoscaling.computing import Computed
from tests.benchmarks.scale.autoscaling.prometheus import parse_answer
from tests.benchmarks.scale.autoscaling.report import find_figures, p95_between, rate, write
from tests.benchmarks.scale.autoscaling.scaled_workers import Decision
from tests.benchmarks.scale.autoscaling.starts import Drain, Start, Starts

RECORD = Record(
    began=10,
    ended=40,
    calls=[Call(at, at + 1 + (at > 20), at != 25) for at in range(50)],
    arrivals=[*range(50)],
    ages=[(9, 0), (15, 2.5), (20, 7), (21, 1)],
    ready=[(0, 1), (16, 2), (30, 3), (44, 2), (46, 1)],
    decisions=[Decision(15, [2.5, 8], 2), Decision(18, [None, None], 3)],
    drains=[0.25, 1.5],
    codes=[0, 1],
    repeated=3,
)
START = Start(listed=0.5, answered=0.75, cpu=0.625, drained=0.125)
STARTS = Starts(
    warm=START, without_bytecode=START, drain=Drain(held=200, seconds=1.1, failed=0, repeated=0)
)


def test_figures_of_a_burst() -> None:
    figures = [*find_figures(RECORD).values()]

    assert figures == [
        *("50", "1", "3", "6.000 s", "7.000 s", "10.0 s", "3"),
        *("1.000 s", "1.000 s", "2.000 s", "2.000 s", "4.000 s", "1.500 s", "1"),
    ]


def test_the_page_and_the_drawing_have_them(tmp_path: Path) -> None:
    crowd = Computed(slots=10_000, age=0.5, held=100, calls=RECORD.calls)
    write(tmp_path, RECORD, STARTS, [crowd])

    page = (tmp_path / "autoscaling.md").read_text()
    assert "| greatest age of the oldest hint | 7.000 s |" in page
    assert "| with bytecode of Python | 0.500 | 0.750 | 0.625 | 0.125 |" in page
    assert "| 10,000 | 0.500 | 100 | 2.000 | 1 |" in page
    assert (tmp_path / "autoscaling.svg").stat().st_size > 1_000


def test_windows_without_calls_have_no_percentile() -> None:
    assert p95_between(RECORD, 0, 20) == 1
    assert math.isnan(p95_between(RECORD, 60, 70))
    assert rate([0.5, 1, 2.9, 7], [0, 3, 6]) == [1, 0, 1 / 3]


@pytest.mark.parametrize(
    ("result", "value"),
    [([{"value": [1.5, "2.5"]}], 2.5), ([], None), ([{"value": [1, "1"]}] * 2, None)],
)
def test_an_answer_is_one_value_or_none(result: object, value: float | None) -> None:
    assert parse_answer({"status": "success", "data": {"result": result}}) == value
    assert parse_answer({"status": "error"}) is None


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.skipif(not shutil.which("prometheus"), reason="the command prometheus is not here")
def test_workers_follow_a_short_burst() -> None:
    command = (sys.executable, "-m", "tests.benchmarks.scale.autoscaling", "--quick")

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    figures = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert figures["callers with an error or a wrong result"] == "0", json.dumps(figures)
    assert figures["executions with a node that was begun more than once"] == "0"
    assert int(figures["most workers"]) >= 2
