"""An installation of one's own: a Redis, and gateways and workers as processes of the command."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.net.http_client import Unreachable, call
from tests.conftest import RedisServer, free_port
from tests.support.acceptance.running_stack import HEADRACE, environment
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Graph
from tests.support.process import forked_command
from tests.support.process.forked_part import ForkedPart
from tests.support.redis.installation import SECRET_KEY

GATEWAY, WORKER = "gateway", "worker"
CREDITS = "1000000000"


@dataclass
class Member:
    """A process of the installation, with the port at which it answers probes."""

    kind: str
    port: int
    log: Path
    process: subprocess.Popen[bytes] | ForkedPart

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def readiness(self) -> int:
        """Return the status of its `/readyz`; 0 where nothing answers."""
        with contextlib.suppress(Unreachable):
            return call("GET", f"{self.url}/readyz", timeout=5)[0]
        return 0

    def wait_ready(self) -> "Member":
        """Wait until it is ready."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.readiness() != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return self

    def end(self, number: signal.Signals, seconds: float = PATIENCE_SECONDS) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@dataclass
class Fleet:
    """Gateways and workers on one Redis."""

    folder: Path
    environ: dict[str, str]
    is_forked: bool = False
    """Processes are forked from one that has imported everything."""
    members: list[Member] = field(default_factory=list)

    def start(self, kind: str, *, port: int = 0, **environ: str) -> Member:
        """Start a process; a gateway may get the port of a former one."""
        port = port or free_port()
        name = "HEADRACE_PORT" if kind == GATEWAY else "HEADRACE_HEALTH_PORT"
        log = self.folder / f"{kind}-{port}.log"
        more = environment(**self.environ, **{name: str(port)}, **environ)
        member = Member(kind, port, log, self._launch(kind, more, log))
        self.members.append(member)
        return member

    def _launch(
        self, kind: str, environ: dict[str, str], log: Path
    ) -> subprocess.Popen[bytes] | ForkedPart:
        with log.open("ab") as output:
            if self.is_forked:
                return ForkedPart(kind, self.folder, environ, log)
            return subprocess.Popen(
                [*HEADRACE, kind], cwd=self.folder, env=environ, stdout=output, stderr=output
            )

    def command(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of an operator to its end."""
        return forked_command.headrace(*arguments, environ=environment(**self.environ, **environ))

    def make_key(self, name: str = "ada") -> str:
        """Make an account without limits; return a key of it."""
        return self.make_account(name)[1]

    def make_account(self, name: str, *capabilities: str) -> tuple[str, str]:
        """Make an account without limits; return its id and a key."""
        words = ("--email", f"{name}@localhost", "--tier", "enterprise", "--credits", CREDITS)
        made = self._json("account", "create", *words)
        granted = [word for each in capabilities for word in ("--capability", each)]
        granted = granted or ["--preset", "Full deploy"]
        key = self._json("key", "create", "--account", made["id"], *granted)
        return str(made["id"]), str(key["key"])

    def save(self, key: str, name: str, graph: Graph) -> str:
        """Save a workflow by the first gateway that runs; return its slug."""
        gateways = (each for each in self.members if each.kind == GATEWAY)
        url = next(each.url for each in gateways if each.process.poll() is None)
        status, answer = call("POST", f"{url}/api/workflows", key=key, body=graph.body(name))
        assert status == 201, answer
        return str(answer["slug"])

    def _json(self, *arguments: str) -> Any:
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextlib.contextmanager
def running_fleet(folder: Path, *, is_marked: bool = True, **environ: str) -> Iterator[Fleet]:
    """Run a durable Redis; at the end it is stopped, and processes that still run are killed."""
    server = RedisServer("--appendonly", "yes", "--appendfsync", "no", is_marked=is_marked)
    server.start()
    try:
        with fleet_on(server.url, folder, **environ) as fleet:
            yield fleet
    finally:
        server.stop()


@contextlib.contextmanager
def fleet_on(
    redis_url: str, folder: Path, *, is_forked: bool = False, **environ: str
) -> Iterator[Fleet]:
    """Yield a fleet on a Redis that runs; processes that still run are killed at the end."""
    shared = {
        "HEADRACE_REDIS_URL": redis_url,
        "HEADRACE_SECRET_KEY": SECRET_KEY,
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_CPU_SLOTS": "1",
        "HEADRACE_DATA_DIR": str(folder / "data"),
    }
    for name in ("HEADRACE_MEDIA_FREE_BYTES", "PYTHONDONTWRITEBYTECODE"):
        if name in os.environ:
            shared[name] = os.environ[name]
    fleet = Fleet(folder, shared | environ, is_forked)
    try:
        yield fleet
    finally:
        for member in fleet.members:
            member.process.kill()
            member.process.wait()
