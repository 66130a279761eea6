"""Start of gateways and workers by fork from a zygote, whose memory they share."""

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
from deploy.stack.fork_server_process import READY
from engine.process import zygote
from engine.process.forked import ForkedProcess, can_watch

PR_SET_CHILD_SUBREAPER = 36
READY_SECONDS = 10.0
"""Longest time that the first part waits for the imports of the server; it then starts by command,
and so do others until the server is ready."""
FORK_SECONDS = 3.0
"""Longest time for one fork; a server that takes longer hangs, and is replaced."""
RESTART_SECONDS = 1.0
"""Pause before another server is started."""
AGAIN = (
    "import socket, sys; from deploy.stack.fork_server_process import serve;"
    " sys.exit(serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))"
)


class ForkServer:
    """Client of the process that forks. While there is none, parts start by command."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self._pid = pid
        self._control = control
        self._process: ForkedProcess | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._is_ready = False
        self._patience = READY_SECONDS

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
        control, other = zygote.open_control(keeps_messages=True)
        pid = os.fork()
        if pid == 0:
            control.close()
            sys.exit(fork_server_process.serve(other, parent))
        other.close()
        return cls(pid, control)

    def close(self) -> None:
        """End the process; the parts go on."""
        self._control.close()
        if self._keeping is not None:
            self._keeping.cancel()
        if self._process is not None:
            self._process.kill()
        else:
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
            if self._keeping is None:
                self._process = ForkedProcess(self._pid)
                self._keeping = asyncio.create_task(self._keep_running(self._process))
            try:
                if not await self._becomes_ready():
                    return None
                with _adopting():
                    data = json.dumps(request).encode()
                    zygote.request_fork(self._control, zygote.ForkRequest(data, output))
                    answer = await self._receive(FORK_SECONDS)
                return ForkedProcess(int(answer))
            except (OSError, TimeoutError, ValueError):
                self._end()
                return None

    async def _becomes_ready(self) -> bool:
        """Wait for the imports of the first server; of a later one, tell whether they are done."""
        seconds, self._patience = self._patience, 0.0
        if not self._is_ready:
            try:
                self._is_ready = await self._receive(seconds) == READY
            except TimeoutError:
                return False
        return self._is_ready

    async def _receive(self, seconds: float) -> bytes:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().sock_recv(self._control, 64)

    def _end(self) -> None:
        """End a server that hangs or is ending; a part that it has just forked ends without it."""
        self._is_ready = False
        self._control.close()
        if self._process is not None:
            self._process.kill()

    async def _keep_running(self, process: ForkedProcess) -> None:
        """Reap the server when it has ended, and start another one."""
        while True:
            await process.wait()
            async with self._turn:
                self._end()
            await asyncio.sleep(RESTART_SECONDS)
            async with self._turn:
                self._process = process = self._start_again()

    def _start_again(self) -> ForkedProcess:
        """Start another server by command: this process has threads by now, and cannot fork."""
        self._control, other = zygote.open_control(keeps_messages=True)
        with other:
            return ForkedProcess(zygote.start(AGAIN, other, [str(os.getpid())], os.environ))


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Become the parent of descendants whose parent ends meanwhile."""
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
