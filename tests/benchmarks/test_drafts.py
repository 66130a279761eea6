"""The measurement of drafts runs, with few writes."""

import subprocess
import sys

import pytest

from tests.benchmarks.processes import REPOSITORY


@pytest.mark.thorough
def test_writes_of_a_large_draft_leave_one_version_and_little_memory() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.drafts", "--writes", "20"]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    first, _, last = done.stdout.splitlines()
    assert first == "20 writes of a draft with 300 nodes and 299 kB"
    versions, memory = last.split(", ")
    assert versions == "versions 1"
    assert int(memory.removeprefix("memory of Redis ").removesuffix(" kB")) < 1_000
