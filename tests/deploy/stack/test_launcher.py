import os
import signal
import subprocess
import sys

from deploy.stack import launcher
from tests.deploy.stack.test_supervisor import gone
from tests.support.eventually import PATIENCE_SECONDS, eventually

WATCHER = (
    "import sys\n"
    "from deploy.stack import launcher\n"
    "raise SystemExit(launcher.watch(9, int(sys.argv[1]), sys.argv[2:]))\n"
)
SLEEPER = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")


def launch(*program: str, parent: int) -> list[str]:
    return [sys.executable, launcher.__file__, "9", str(parent), *program]


def test_the_program_takes_the_launchers_place() -> None:
    code = "import os; print(os.getpid())"
    process = subprocess.Popen(
        launch(sys.executable, "-c", code, parent=os.getpid()), stdout=subprocess.PIPE, text=True
    )

    printed, _ = process.communicate()

    assert int(printed) == process.pid


def test_nothing_is_started_when_the_parent_has_already_gone() -> None:
    done = subprocess.run(launch(sys.executable, "-c", "print(1)", parent=1), capture_output=True)

    assert done.returncode == 1
    assert done.stdout == b""


def test_a_watching_launcher_passes_signals_and_the_exit_code_on() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHER, str(os.getpid()), *SLEEPER], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM


async def test_a_watching_launcher_ends_its_program_when_the_parent_has_gone() -> None:
    code = (
        "import subprocess, sys, time\n"
        "import os\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid()), *sys.argv[2:]])\n"
        "time.sleep(600)\n"
    )
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, WATCHER, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())

        parent.kill()

        await gone(child)


async def test_a_watching_launcher_is_of_use_only_while_its_program_lives() -> None:
    process = subprocess.Popen([sys.executable, "-c", WATCHER, str(os.getpid()), "/bin/true"])

    async def code() -> int | None:
        return process.poll()

    assert await eventually(code, lambda observed: observed is not None) == 0
