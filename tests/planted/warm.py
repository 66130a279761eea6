"""Runs of tests in a fork of this process, which has loaded our code: for changed scripts of Redis.

A start of Python and its imports is most of a quick test's time. Python files that were changed
need a new process (`plan.run_in`); scripts are read again.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import pytest

import gateway.app
import workers.main
from engine.store.redis import scripts

LOADED = (gateway.app, workers.main)
IGNORED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # the asserts of others
LOOK_SECONDS = 0.05


def run_warm(*words: str, seconds: float) -> tuple[int, str]:
    """Run pytest with these words in a fork; return its code and what it wrote.

    Raises subprocess.TimeoutExpired after `seconds`; all processes that it started are killed.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as written:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _be_pytest(words, written.fileno())
        code = _wait(pid, seconds)
        written.seek(0)
        return code, written.read()


def _be_pytest(words: tuple[str, ...], output: int) -> None:
    code = 3
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        scripts.SCRIPTS.update(scripts.load())
        code = int(pytest.main([*IGNORED, *words]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, seconds: float) -> int:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(LOOK_SECONDS)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise subprocess.TimeoutExpired("pytest", seconds)
