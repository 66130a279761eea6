"""Gateways and workers of two releases on one Redis, which are killed and replaced."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.net.http_client import Unreachable, call
from tests.conftest import free_port
from tests.support.acceptance.running_stack import environment
from tests.support.acceptance.versions.releases import Release
from tests.support.eventually import PATIENCE_SECONDS

GATEWAY, WORKER = "gateway", "worker"
LEFT = "leaves executions to other workers"
"""Event of a worker that meets what it does not know."""


@dataclass
class Member:
    """One process of a release, with the log of all its lives."""

    release: Release
    kind: str
    number: int
    environ: Mapping[str, str]
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.kind}-{self.number}-{self.release.name}.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, 0 before its start."""
        return self.process.pid if self.process else 0

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process, on a port of its own if it is a gateway."""
        arguments = [self.kind]
        if self.kind == GATEWAY:
            self.port = free_port()
            arguments += ["--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.release.command(*arguments),
                cwd=self.folder,
                env=environment(**self.environ, **self.release.environment),
                stdout=log,
                stderr=log,
            )

    def wait_ready(self) -> None:
        """Wait until a gateway serves; a worker needs no wait."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.kind == GATEWAY:
            assert self.is_alive, self.log.read_text()
            with contextlib.suppress(Unreachable):
                if call("GET", f"{self.url}/readyz")[0] == 200:
                    return
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def end(self, number: signal.Signals) -> None:
        """Send a signal and wait for the end."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_SECONDS)
        assert number == signal.SIGKILL or code == 0, (self.log, code)


@dataclass
class VersionFleet:
    """Processes of two releases."""

    folder: Path
    environ: Mapping[str, str]
    members: list[Member] = field(default_factory=list)
    ended: list[Member] = field(default_factory=list)
    kills: int = 0
    stops: int = 0
    deaths: dict[str, float] = field(default_factory=dict)
    """Times of the monotonic clock at which gateways were killed, by URL."""
    _count: int = 0

    def add(self, release: Release, kind: str, **environ: str) -> Member:
        """Start a process, with variables of its own besides those of all."""
        self._count += 1
        variables = {**self.environ, **environ} if environ else self.environ
        member = Member(release, kind, self._count, variables, self.folder)
        member.start()
        self.members.append(member)
        return member

    def kill(self, member: Member) -> None:
        """SIGKILL a process and start one of its release in its place."""
        self.kills += 1
        self._end(member, signal.SIGKILL)
        member.start()

    def remove(self, member: Member, number: signal.Signals = signal.SIGTERM) -> None:
        """End a process for good."""
        self.stops += 1
        self.members.remove(member)
        self.ended.append(member)
        self._end(member, number)

    def _end(self, member: Member, number: signal.Signals) -> None:
        if number == signal.SIGKILL:
            self.deaths[member.url] = time.monotonic()
        member.end(number)

    @property
    def gateways(self) -> list[Member]:
        return [each for each in self.members if each.kind == GATEWAY and each.is_alive]

    def close(self) -> None:
        """Kill what still runs."""
        for member in self.members:
            if member.is_alive:
                member.end(signal.SIGKILL)

    def stop(self) -> None:
        """End all processes in order."""
        for member in sorted(self.members, key=lambda each: each.kind):
            self.remove(member)

    def lines(self, tells: Callable[[str], bool]) -> list[tuple[str, str]]:
        """Return lines of all logs, each with the name of its log."""
        return [
            (member.log.name, line)
            for member in (*self.members, *self.ended)
            for line in member.log.read_text().splitlines()
            if tells(line)
        ]


def is_left(line: str) -> bool:
    """Return whether a line of a log tells of an execution that was left to other workers."""
    return f'"event":"{LEFT}"' in line.replace('": "', '":"')


def is_fault(line: str) -> bool:
    """Return whether a line of a log is no JSON, has a traceback or the level of an error."""
    if line.startswith("ready http://"):
        return False
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return bool(line.strip())
    return "traceback" in entry or entry.get("level") in ("error", "critical")


@contextlib.contextmanager
def version_fleet(folder: Path, environ: Mapping[str, str]) -> Iterator[VersionFleet]:
    """Yield a fleet without processes; all are gone afterwards."""
    fleet = VersionFleet(folder, environ)
    try:
        yield fleet
    finally:
        fleet.close()


def run_command(release: Release, environ: Mapping[str, str], *arguments: str) -> Any:
    """Run a command of a release with `--json`; return its answer."""
    done = subprocess.run(
        release.command(*arguments, "--json"),
        env=environment(**environ, **release.environment, PATH=os.environ["PATH"]),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr or done.stdout
    return json.loads(done.stdout)
