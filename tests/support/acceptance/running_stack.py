"""A real stack in a folder of its own, started by the command, with all its processes."""

import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from deploy.net.http_client import call
from deploy.stack.location import read_private
from engine.models.registry import shipped_models
from tests.support.acceptance.topology import redis_environ
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.process.forked_command import headrace

T = TypeVar("T")

HEADRACE = (sys.executable, "-P", "-m", "deploy")
READY = "ready http://"
ONE_WORKER = ("--workers", "1")
BARE = ("--no-demo", *ONE_WORKER)
"""Options of the smallest stack, for tests without the demo or a second worker."""
PROVIDED = {
    name
    for each in shipped_models()
    if (endpoint := each.call.endpoint)
    for name in (endpoint.base_url_env, endpoint.api_key_env)
}
"""Variables with addresses and keys of providers."""


def until(
    read: Callable[[], T], holds: Callable[[T], object] = bool, *, timeout: float = PATIENCE_SECONDS
) -> T:
    """Read repeatedly until the value is as expected; return it."""
    deadline = time.monotonic() + timeout
    while not holds(value := read()):
        assert time.monotonic() < deadline, f"not reached in {timeout} s, last seen: {value!r}"
        time.sleep(0.01)
    return value


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without settings and keys of providers, with additions."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HEADRACE_") and name not in PROVIDED
    }
    return kept | more


def models_at(url: str) -> dict[str, str]:
    """Return variables that make a stack call the examples' models at this address."""
    return {
        "HEADRACE_ALLOW_PRIVATE_URLS": "1",
        "HEADRACE_LOCAL_MODEL_URL": f"{url}/v1",
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "any",
    }


class RunningStack:
    """One `headrace up` as a process."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self.data_dir = folder / "data"
        self._folder = folder
        environ |= redis_environ(self.data_dir, environ)
        self.process = subprocess.Popen(
            [*HEADRACE, "up", "--port", "0", "--data-dir", str(self.data_dir), *arguments],
            cwd=folder,
            env=environment(**environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_output(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)

    def line(self, prefix: str) -> str:
        """Return the next line of standard output with this prefix."""
        seen = []
        while (line := self._lines.get(timeout=2 * PATIENCE_SECONDS)) is not None:
            seen.append(line)
            if line.startswith(prefix):
                return line.rstrip("\n")
        raise AssertionError(f"no line {prefix!r} in {seen}; said: {''.join(self.errors)}")

    @property
    def url(self) -> str:
        """Return the address of the API."""
        return str(read_private(self.data_dir / "stack.json")["url"])

    @property
    def redis_url(self) -> str:
        """Return the address of its Redis."""
        return str(read_private(self.data_dir / "stack.json")["redisUrl"])

    @property
    def key(self) -> str:
        """Return the demo's key."""
        return str(read_private(self.data_dir / "demo.json")["key"])

    def api(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Call the API with the demo's key."""
        return call(method, self.url + path, **{"key": self.key, "body": body, **options})

    def waiting(self, execution_id: str, **options: Any) -> Any:
        """Return an execution once it waits for a time or an answer."""
        path = f"/api/executions/{execution_id}"
        return until(lambda: self.api("GET", path, **options)[1], lambda run: run["waitingFor"])

    def ended(self, execution_id: str) -> Any:
        """Return an execution once it has ended."""
        path = f"/api/executions/{execution_id}"
        return until(lambda: self.api("GET", path)[1], lambda run: run["completedAt"])

    def command(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run another command against this stack."""
        here = () if "--data-dir" in arguments else ("--data-dir", str(self.data_dir))
        return headrace(*arguments, *here, environ=environment(**environ))

    def processes(self) -> dict[int, str]:
        """Return the command line of every process of this stack, by process id."""
        return dict(_inside(self._folder))

    def part(self, kind: str) -> list[int]:
        """Return the current processes of one kind of part."""
        words = {"redis": "-server unixsocket:"}.get(kind, f"-m deploy {kind}")
        return sorted(
            pid
            for pid, line in self.processes().items()
            if words in line and "launcher.py" not in line and _parent(pid) == self.process.pid
        )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it and wait for its end; return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(PATIENCE_SECONDS)
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
        return code

    def clear(self) -> None:
        """End all processes."""
        for pid in self.processes():
            _kill(pid)
        self.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def started(folder: Path, *arguments: str, **environ: str) -> Iterator[RunningStack]:
    """Start a stack, which may fail to serve."""
    stack = RunningStack(folder, *arguments, **environ)
    try:
        yield stack
    finally:
        stack.clear()


@contextmanager
def running(folder: Path, *arguments: str, **environ: str) -> Iterator[RunningStack]:
    """Start a stack and wait until it serves."""
    with started(folder, *arguments, **environ) as stack:
        stack.line(READY)
        yield stack


def _inside(folder: Path) -> Iterator[tuple[int, str]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if not (process / "cwd").readlink().is_relative_to(folder):
                continue
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        yield int(process.name), line.replace(b"\0", b" ").decode().strip()


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def kill_and_await(stack: RunningStack, kind: str, which: random.Random) -> None:
    """Kill a part and wait for its replacement."""
    before = stack.part(kind)
    killed = which.choice(before)
    os.kill(killed, signal.SIGKILL)
    until(lambda: stack.part(kind), lambda now: len(now) == len(before) and killed not in now)
