"""Start of gateways and workers by fork from one process, whose memory they share."""

import asyncio
import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence

from deploy.stack import fork_server_process
from engine.process.forked import ForkedProcess, can_watch

PR_SET_CHILD_SUBREAPER = 36
FORK_SECONDS = 30.0
"""Longest time for one fork; the first waits for the imports."""


class ForkServer:
    """Client of the process that forks. Once that has ended, parts start by command."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self._pid = pid
        self._control: socket.socket | None = control
        self._turn = asyncio.Lock()

    @classmethod
    def open(cls) -> "ForkServer | None":
        """Fork that process; None: this system cannot watch what it forks.

        Call before the first thread starts.
        """
        if not can_watch():
            return None
        gc.collect()
        gc.freeze()  # a collection would write to the memory that both share
        parent = os.getpid()
        control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            control.close()
            sys.exit(fork_server_process.serve(other, parent))
        other.close()
        control.setblocking(False)
        return cls(pid, control)

    def close(self) -> None:
        """End the process; the parts go on."""
        if self._control is not None:
            self._control.close()
            self._control = None
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    async def fork(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        output: int,
        death_signal: signal.Signals,
    ) -> ForkedProcess | None:
        """Run a `deploy` command in a fork, its output to a descriptor; None: it cannot be done."""
        request = {"command": command, "environ": environ, "deathSignal": int(death_signal)}
        async with self._turn:
            if self._control is None:
                return None
            try:
                with _adopting():
                    socket.send_fds(self._control, [json.dumps(request).encode()], [output])
                    async with asyncio.timeout(FORK_SECONDS):
                        answer = await asyncio.get_running_loop().sock_recv(self._control, 64)
            except (OSError, TimeoutError):
                answer = b""
            if answer:
                return ForkedProcess(int(answer))
            self.close()
            return None


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Become the parent of descendants whose parent ends meanwhile."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
