"""The benchmark of the history runs, with few executions."""

import subprocess
import sys

import pytest

from tests.benchmarks.processes import REPOSITORY


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_it_calls_a_gateway_with_every_filter(kind: str) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.history", "--database", kind]

    done = subprocess.run(
        [*command, "--executions", "5000", "--repeat", "1"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )

    assert done.returncode in (0, 1), done.stderr
    shown = done.stdout.splitlines()
    assert shown[0].startswith(f"{kind}: loaded")
    assert {line.split()[0] for line in shown[1:]} == {kind}
    assert any("month by hour, by workflow" in line for line in shown)
