"""A forked child as an object, and the command line that it shows."""

import os
import signal
import subprocess
import sys

import pytest

from engine.process.forked import ForkedProcess, can_watch

pytestmark = pytest.mark.skipif(not can_watch(), reason="this system has no process descriptors")


def child(code: str) -> int:
    """Start a child that asyncio knows nothing of."""
    return os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", code], os.environ)


async def test_the_exit_code_of_a_child_is_waited_for() -> None:
    process = ForkedProcess(child("raise SystemExit(3)"))

    assert await process.wait() == 3
    assert process.returncode == 3
    process.kill()  # the number may be another process's by now


async def test_a_signal_is_the_negative_exit_code() -> None:
    process = ForkedProcess(child("import time; time.sleep(600)"))
    assert process.returncode is None

    process.terminate()

    assert await process.wait() == -signal.SIGTERM


def test_a_process_shows_another_command_line() -> None:
    code = (
        "from engine.process.forked import show_command; show_command('short', 'name')\n"
        "print(open('/proc/self/cmdline').read())"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout

    assert shown.strip("\0\n").split("\0") == ["short", "name"]
