"""A command in a pseudo terminal of a given size."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.support.eventually import PATIENCE_SECONDS

CONTROLS = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """The parent's end of a terminal, and all that the command has written to it."""

    def __init__(self, pid: int, place: int) -> None:
        self.pid = pid
        self.output = b""
        self._place = place
        self._status: int | None = None

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, of which the kernel tells the command."""
        fcntl.ioctl(self._place, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """Type keys."""
        os.write(self._place, keys)

    def echoes(self) -> bool:
        """Return whether the terminal shows what is typed, as it does for a shell."""
        return bool(termios.tcgetattr(self._place)[3] & termios.ECHO)

    def wait_for(self, text: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Read until a text comes; return what was written since the call, without controls."""
        first = len(self.output)
        deadline = time.monotonic() + seconds
        while text not in (written := self._words(first)):
            assert time.monotonic() < deadline, f"{text!r} has not come: {written[-2_000:]}"
            self._read()
        return written

    def wait_for_end(self) -> int:
        """Read until the command has ended; return its status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._has_ended():
            assert time.monotonic() < deadline, "the command has not ended"
            self._read()
        self._read()
        assert self._status is not None
        return self._status

    def _words(self, first: int) -> str:
        return CONTROLS.sub(b"", self.output[first:]).decode(errors="replace")

    def _read(self) -> None:
        ready, _, _ = select.select([self._place], [], [], 0.05)
        try:
            self.output += os.read(self._place, 65_536) if ready else b""
        except OSError:  # the command has closed its end
            time.sleep(0.01)

    def _has_ended(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status is not None

    def close(self) -> None:
        """End the command if it runs."""
        if not self._has_ended():
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self._place)


@contextmanager
def in_terminal(
    command: Sequence[str], columns: int, lines: int, environ: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run a command in a terminal while the context lasts."""
    pid, place = pty.fork()
    if pid == 0:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(1, termios.TIOCSWINSZ, size)
        os.execve(command[0], list(command), dict(environ))
    terminal = Terminal(pid, place)
    try:
        yield terminal
    finally:
        terminal.close()
