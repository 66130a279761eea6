"""Gateways and workers as processes that need not import everything again, as `headrace up` has."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.stack.fork_server_process import PRELOAD
from tests.support.process import forked_command

FORKS = forked_command.FORKS
FORKS.set_forkserver_preload([*forked_command.MODULES, *PRELOAD])


class ForkedPart:
    """One process of the command, with the members of `subprocess.Popen` that tests use."""

    def __init__(self, kind: str, folder: Path, environ: Mapping[str, str], log: Path) -> None:
        arguments = (kind, str(folder), dict(environ), str(log))
        self._process = FORKS.Process(target=_run, args=arguments)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit code. Raises TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("headrace", timeout or 0.0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(kind: str, folder: str, environ: dict[str, str], log: str) -> None:
    os.setsid()
    os.chdir(folder)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    for number in (1, 2):
        os.dup2(output, number)
    forked_command.become(kind, environ=environ)
