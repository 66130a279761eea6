"""Redis server processes on loopback ports, which tests kill, pause and start again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import redis

from tests.conftest import find_redis_server, free_port
from tests.support.eventually import PATIENCE_SECONDS

T = TypeVar("T")

HOST = "127.0.0.1"
DURABLE = {"appendonly": "yes", "appendfsync": "no", "save": '""'}
"""A killed server has its data again when it comes back: only the machine's end loses some."""


class ServerProcess:
    """One server with a configuration file in a folder of its own.

    Lines of the file may repeat a directive, as `sentinel` and `user` do. The server may rewrite
    the file; `start` after `kill` uses it as the server has left it.
    """

    def __init__(
        self,
        lines: Iterable[str] = (),
        *,
        is_sentinel: bool = False,
        credentials: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self.port = free_port()
        self.bus_port = 0
        self.is_paused = False
        self.folder = Path(tempfile.mkdtemp(prefix="hr-server-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.environ: dict[str, str] = {}
        """Variables of the server besides those of this process, from its next start on."""
        self._user, self._password = credentials
        self._is_sentinel = is_sentinel
        written = [f"port {self.port}", f"bind {HOST}", f"dir {self.folder}", *lines]
        written += [f"logfile {self.folder}/log", "enable-debug-command local"]
        self.configuration.write_text("\n".join(written) + "\n")

    @property
    def configuration(self) -> Path:
        return self.folder / "conf"

    @property
    def is_running(self) -> bool:
        """Whether it answers: it has started and is not paused."""
        return self.process is not None and self.process.poll() is None and not self.is_paused

    def launch(self) -> None:
        """Start the process without waiting for an answer.

        A write over the limit of a file's size is an error there, as on a full disk, not the end.
        """
        sentinel = ["--sentinel"] if self._is_sentinel else []
        command = [find_redis_server(), str(self.configuration), *sentinel]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **self.environ},
            restore_signals=False,
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.launch()
        self.await_answer()

    def await_answer(self) -> None:
        """Wait until it answers a PING, with its data loaded."""
        wait_until(lambda: self.command("PING"), f"an answer of port {self.port}")

    def client(self, **options: Any) -> redis.Redis:
        """Return a client of this server alone, which does not repeat commands."""
        return redis.Redis(
            host=HOST,
            port=self.port,
            username=self._user,
            password=self._password,
            socket_timeout=5,
            **options,
        )

    def command(self, *words: Any) -> Any:
        """Return the reply to a command. Raises redis.RedisError."""
        with self.client() as client:
            return client.execute_command(*words)

    def info(self, section: str = "replication") -> Mapping[str, Any]:
        """Return a section of INFO. Raises redis.RedisError."""
        with self.client() as client:
            found: Mapping[str, Any] = client.info(section)
            return found

    def kill(self) -> None:
        """SIGKILL, as a crash would; a paused one too."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.is_paused = False

    def end(self) -> None:
        """SIGTERM, as a shutdown does; wait for its end."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def pause(self) -> None:
        """SIGSTOP: its connections stay open without a reply."""
        self._signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._signal(signal.SIGCONT)
        self.is_paused = False

    def remove(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """Return what the server logged."""
        return (self.folder / "log").read_text()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)


def wait_until(
    read: Callable[[], T], awaited: str, *, timeout: float = PATIENCE_SECONDS, pause: float = 0.02
) -> T:
    """Read until the value is true, and return it; errors of Redis count as false."""
    deadline = time.monotonic() + timeout
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            value = read()
            if value:
                return value
        assert time.monotonic() < deadline, f"{awaited}: not within {timeout} s"
        time.sleep(pause)


def access_lines(user: str | None, password: str | None) -> list[str]:
    """Return the lines that let in this user alone, or the password of the default user."""
    if password is None:
        return []
    if user is None:
        return [f"requirepass {password}", f"masterauth {password}"]
    return [
        "user default off",
        f"user {user} on >{password} ~* &* +@all",
        f"masteruser {user}",
        f"masterauth {password}",
    ]


def userinfo(user: str | None, password: str | None) -> str:
    """Return the part of an address before its hosts."""
    return "" if password is None else f"{user or ''}:{password}@"
