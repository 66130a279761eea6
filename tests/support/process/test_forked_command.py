"""A forked command has its own arguments, environment, output and exit code."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.process.forked_command import headrace


def test_output_errors_and_exit_code_are_the_commands_own(tmp_path: Path) -> None:
    shown = headrace("--help", environ={})
    wrong = headrace("no-such-command", environ={})
    failed = headrace("account", "list", "--data-dir", str(tmp_path), environ={})

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("Usage: headrace ")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith(f"headrace: No stack runs on {tmp_path}")


def test_the_environment_is_the_given_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_LOG_LEVEL", "of the tests")
    before = dict(os.environ)
    silent = f"unix://{tmp_path}/nobody.sock"

    with_redis = headrace("account", "list", environ={"HEADRACE_REDIS_URL": silent})
    without = headrace("account", "list", "--data-dir", str(tmp_path), environ={})

    assert "does not answer" in with_redis.stderr
    assert "No stack runs" in without.stderr
    assert dict(os.environ) == before


def test_a_command_that_goes_on_is_ended(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        headrace("worker", environ={"HEADRACE_LOG_LEVEL": "debug"}, timeout=0.01)
