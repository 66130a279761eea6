"""The first process of a container, in a namespace of process ids of its own."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.process.first_process import running_first

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="this needs root and unshare, for a namespace of process ids",
)
STAND_BEFORE = "from engine.process.first_process import stand_before; stand_before()\n"


def python(tmp_path: Path, program: str) -> list[str]:
    """Return the command of a program whose process is the first one of its namespace."""
    path = tmp_path / "program.py"
    path.write_text(STAND_BEFORE + program)
    return [sys.executable, str(path)]


def wait_for(path: Path) -> str:
    """Return the text of a file, once there is some."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)
    return path.read_text()


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(0)", 0), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", 137)],
)
def test_it_ends_with_the_code_of_the_command(tmp_path: Path, end: str, code: int) -> None:
    with running_first(python(tmp_path, f"import os, sys; {end}")) as first:
        assert first.wait() == code


def test_the_command_gets_the_signals(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = f"""
import signal, sys
from pathlib import Path
def tell(number, _):
    Path({str(told)!r}).write_text(str(number))
    sys.exit(0)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, tell)
Path({str(tmp_path / "up")!r}).write_text("up")
while True:
    signal.pause()
"""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        (tmp_path / "up").unlink(missing_ok=True)
        with running_first(python(tmp_path, program)) as first:
            wait_for(tmp_path / "up")
            first.send_signal(number)
            assert first.wait() == 0
        assert told.read_text() == str(int(number))


def test_a_signal_that_the_command_does_not_handle_ends_it(tmp_path: Path) -> None:
    program = f"""
import signal, resource
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
Path({str(tmp_path / "up")!r}).write_text("up")
while True:
    signal.pause()
"""
    with running_first(python(tmp_path, program)) as first:
        wait_for(tmp_path / "up")
        first.send_signal(signal.SIGQUIT)
        assert first.wait() == 128 + signal.SIGQUIT


def test_orphans_are_reaped(tmp_path: Path) -> None:
    states = tmp_path / "states"
    program = f"""
import os, subprocess, sys, time
from pathlib import Path
for _ in range(5):
    subprocess.run(["sh", "-c", "true & sleep 0.1 & exit 0"], check=True)
time.sleep(0.5)
stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
found = [each.rpartition(")")[2].split()[0] for each in stats]
Path({str(states)!r}).write_text(" ".join(found))
"""
    with running_first(python(tmp_path, program)) as first:
        assert first.wait() == 0

    assert "Z" not in states.read_text().split()
