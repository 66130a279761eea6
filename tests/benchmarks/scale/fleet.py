"""A Redis with gateways and workers that are started one by one."""

import json
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import redis

from engine.store.redis import process_keys
from tests.benchmarks.processes import (
    REPOSITORY,
    Processes,
    clean_environment,
    free_port,
    read_parents,
    wait_for_port,
)
from tests.benchmarks.scale.usage import Reading, read_cpu, read_megabytes, read_redis
from tests.conftest import find_redis_server

START_SECONDS = 60.0
PAUSE_SECONDS = 0.05
KINDS = ("gateway", "worker")
REDIS_OPTIONS = {
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
}


class Fleet:
    """A Redis on loopback, and the parts of Headrace on it, each a process."""

    def __init__(self, folder: Path, **environ: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._processes = Processes(folder / "fleet.log")
        self._parts: dict[str, list[int]] = {kind: [] for kind in KINDS}
        self.redis_port = free_port()
        self.gateway_port = 0
        self.client = redis.Redis(port=self.redis_port)
        self.url = f"redis://127.0.0.1:{self.redis_port}/0"
        self.secret_key = secrets.token_hex(16)
        self.environ = {
            "HEADRACE_REDIS_URL": self.url,
            "HEADRACE_SECRET_KEY": self.secret_key,
            "HEADRACE_MEDIA_URL": (folder / "media").as_uri(),
            "HEADRACE_ALLOW_PRIVATE_URLS": "1",
            "HEADRACE_CPU_SLOTS": "1",
            **environ,
        }

    def __enter__(self) -> Self:
        data = self._folder / "redis"
        data.mkdir(parents=True)
        options = {**REDIS_OPTIONS, "port": str(self.redis_port), "dir": str(data)}
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        process = self._processes.start(find_redis_server(), *words)
        wait_for_port(self.redis_port, process)
        self.command("init")
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._processes.stop()

    def command(self, *words: str) -> Any:
        """Run a command of Headrace and return its JSON."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "deploy", *words, "--json"],
            cwd=REPOSITORY,
            env=clean_environment() | self.environ,
            capture_output=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{words}: {done.stderr.decode()}{done.stdout.decode()}")
        return json.loads(done.stdout)

    def start_gateway(self) -> None:
        """Start a gateway and wait until it is ready."""
        self.gateway_port = free_port()
        words = ("-P", "-m", "deploy", "gateway", "--port", str(self.gateway_port))
        process = self._processes.start_python(*words, **self.environ)
        self._parts["gateway"].append(process.pid)
        wait_for_port(self.gateway_port, process)
        wait_until(lambda: _is_healthy(self.gateway_port), "a gateway")

    def start_workers(self, count: int) -> None:
        """Start workers and wait until each has a lease."""
        for _ in range(count):
            self.begin_worker()
        total = len(self._parts["worker"])
        wait_until(lambda: self.client.zcard(process_keys.workers()) == total, "workers")

    def begin_worker(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start a worker without waiting for it."""
        environ = self.environ | environ
        process = self._processes.start_python("-P", "-m", "deploy", "worker", **environ)
        self._parts["worker"].append(process.pid)
        return process

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start another process, which ends with the fleet."""
        return self._processes.start(*command)

    def stop_parts(self) -> None:
        """Stop the gateways and workers; Redis goes on."""
        ended = {pid for pids in self._parts.values() for pid in pids}
        rest = [each for each in self._processes.running if each.pid not in ended]
        parts = [each for each in self._processes.running if each.pid in ended]
        self._processes.running[:] = parts
        self._processes.stop()
        self._processes.running[:] = rest
        self._parts = {kind: [] for kind in KINDS}

    def read(self) -> Reading:
        """Return the present state."""
        return Reading(
            at=time.monotonic(),
            cpu={kind: read_cpu(self._pids(kind)) for kind in KINDS},
            **read_redis(self.client),
        )

    def count(self, kind: str) -> int:
        """Return the number of started processes of a kind."""
        return len(self._parts[kind])

    def megabytes(self, kind: str) -> float:
        """Return the memory of the processes of a kind."""
        return read_megabytes(self._pids(kind))

    def _pids(self, kind: str) -> set[int]:
        """Return the processes of a kind, with their children."""
        parents, found = read_parents(), set(self._parts[kind])
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait for a condition. Raises RuntimeError after a minute."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited too long for {what}")
        time.sleep(PAUSE_SECONDS)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
