"""Children of this process that were forked, not started by a command."""

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

ARGUMENTS_START, ARGUMENTS_END = 47, 48
"""Positions of the command line's addresses among the fields of /proc/PID/stat."""


def can_watch() -> bool:
    """Return whether this system has descriptors of processes, on which `ForkedProcess` waits."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class ForkedProcess:
    """A child, with the verbs of asyncio's `Process`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self._descriptor = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._descriptor, self._reap)

    async def wait(self) -> int:
        """Wait for the end; return the exit code, or less than 0 for a signal."""
        await self._ended.wait()
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        """Send a signal unless the child has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _reap(self) -> None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self.returncode = os.waitstatus_to_exitcode(status)
            self._ended.set()


def show_command(*words: str) -> None:
    """Show words as the command line of this process, cut to the length of the present one."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return
    # The fields count from 1, and the first two are left of the bracket.
    start, end = (int(fields[index - 2]) for index in (ARGUMENTS_START, ARGUMENTS_END))
    line = "\0".join(words).encode()[: end - start - 1]
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)
