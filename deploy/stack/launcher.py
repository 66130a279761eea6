"""Start a program that ends when its parent does: `launcher.py SIGNAL PARENT PROGRAM [ARGUMENT …]`.

A bare interpreter runs it by path, so it imports the standard library alone.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 0.2


def main(arguments: list[str]) -> int:
    """Become the program, or watch it on kernels that do not signal a parent's death."""
    death_signal, parent, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            return 1
        os.execv(program[0], program)
    return watch(death_signal, parent, program)


def watch(death_signal: int, parent: int, program: list[str]) -> int:
    """Run the program as a child, forward signals to it, and end it when the parent is gone."""
    child = subprocess.Popen(program, close_fds=False)

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    while child.poll() is None:
        if os.getppid() != parent:
            child.send_signal(death_signal)
            parent = os.getppid()
        time.sleep(WATCH_SECONDS)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
