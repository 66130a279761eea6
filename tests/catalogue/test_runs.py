"""Runs are read from the JUnit XML that pytest writes, once they are signed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalogue import runs

TESTS = """
import pytest

@pytest.fixture
def row(record_property):
    record_property("row", "F01")

def test_holds(row, record_property):
    record_property("kills", 300)

def test_fails(row):
    assert 1 == 2, "one run was lost in /tmp/somewhere/of/this/machine"

@pytest.mark.skip(reason="no such tool here")
def test_skipped():
    pass
"""


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The XML of a process that ran three tests."""
    folder = tmp_path_factory.mktemp("proofs")
    (folder / "test_three.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\njunit_family = xunit1\n")
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", "--junitxml=run.xml", "-q"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return (folder / "run.xml").read_bytes()


@pytest.fixture
def path(part: bytes, tmp_path: Path) -> Path:
    """A run of two processes that has not ended."""
    path = tmp_path / "run.xml"
    runs.part(path, "").write_bytes(part)
    runs.part(path, "e2e").write_bytes(part)
    return path


@pytest.fixture
def run(path: Path) -> runs.Run:
    runs.sign(path, ["F01", "F02"], "aaaa")
    [found] = runs.read([path.parent])
    return found


def test_a_run_that_was_broken_off_is_left_out(path: Path) -> None:
    assert runs.read([path.parent]) == []


def test_a_run_has_the_cases_of_its_processes(run: runs.Run) -> None:
    assert len(run.cases) == 6


def test_a_run_tells_its_rows_time_commit_and_machine(run: runs.Run) -> None:
    assert run.rows == ("F01", "F02")
    assert run.ended.startswith("20")
    assert run.commit == "aaaa"
    assert "cores" in run.machine


def test_a_case_has_its_rows_and_figures(run: runs.Run) -> None:
    held = run.cases[0]

    assert held.name == "test_three::test_holds"
    assert held.rows == {"F01"}
    assert held.outcome == "held"
    assert held.figures == {"kills": "300"}


def test_a_case_that_failed_says_why_without_paths_of_the_machine(run: runs.Run) -> None:
    failed = run.cases[1]

    assert failed.outcome == "failed"
    assert failed.why == "AssertionError: one run was lost in (a temporary path)"


def test_a_case_that_was_skipped_says_why(run: runs.Run) -> None:
    assert (run.cases[2].outcome, run.cases[2].why) == ("skipped", "no such tool here")
