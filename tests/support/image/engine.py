"""A Docker engine for tests, in a network namespace of its own: no other process meets it.

Debian's package docker.io brings the engine. It needs no registry: images are loaded from files.
"""

import contextlib
import ctypes
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.acceptance.running_stack import until

NEEDED = ("docker", "dockerd", "runc", "ip", "nsenter")
START_SECONDS = 60
NETWORK = 0x4000_0000
"""CLONE_NEWNET: the kind of namespace."""
SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


class Engine:
    """One engine, whose containers have published ports in its own network namespace."""

    def __init__(self, namespace: str, folder: Path) -> None:
        self._network = f"/run/netns/{namespace}"
        self._inside = ["nsenter", f"--net={self._network}"]
        self.environ = {**os.environ, "PATH": SEARCHED}
        self.environ["DOCKER_HOST"] = f"unix://{folder}/socket"
        self.log = folder / "log"
        with self.log.open("wb") as output:
            self._process = self.start_inside(
                *("dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
                *("--pidfile", f"{folder}/pid", "--host", f"unix://{folder}/socket"),
                output=output.fileno(),
            )

    def await_answer(self) -> None:
        """Wait until it answers; skip the test where it cannot run."""
        deadline = time.monotonic() + START_SECONDS
        while self.run("info", check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                last = self.log.read_text(errors="replace").splitlines()[-1:]
                pytest.skip(f"no engine runs here: {last}")
            time.sleep(0.1)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread, and those that it starts, use the network namespace of the engine."""
        own_network = Path("/proc/thread-self/ns/net")
        with own_network.open() as own, Path(self._network).open() as other:
            _enter(other.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of docker."""
        return subprocess.run(
            ["docker", *words], env=self.environ, capture_output=True, text=True, check=check
        )

    def read(self, container: str, template: str) -> str:
        """Return a part of the state of a container."""
        return self.run("inspect", "--format", template, container).stdout.strip()

    def await_healthy(self, container: str) -> None:
        """Wait until the engine's own checks find a container healthy."""
        until(
            lambda: self.read(container, "{{.State.Status}} {{.State.Health.Status}}"),
            lambda state: state == "running healthy" or not state.startswith("running"),
        )
        state = self.read(container, "{{.State.Health.Status}}")
        assert state == "healthy", self.run("logs", container).stderr

    def start_inside(self, *words: str, output: int) -> subprocess.Popen[bytes]:
        """Start a process in the network namespace of the engine."""
        return subprocess.Popen(
            [*self._inside, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ask(self, *words: str) -> str:
        """Run a command in the network namespace of the engine; return its output."""
        command = [*self._inside, *words]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True)
        return done.stdout

    def close(self) -> None:
        """Remove all containers and end the engine."""
        if self._process.poll() is None:
            containers = self.run("ps", "--all", "--quiet", check=False).stdout.split()
            if containers:
                self.run("rm", "--force", "--volumes", *containers, check=False)
            self._process.terminate()
        self._process.wait()


def _enter(network: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network, NETWORK):
        raise OSError(ctypes.get_errno(), "no other network namespace")


@contextlib.contextmanager
def docker_engine() -> Iterator[Engine]:
    """Yield an engine; skip the test where none can run."""
    missing = [name for name in NEEDED if not shutil.which(name, path=SEARCHED)]
    if missing or os.geteuid() != 0:
        pytest.skip(f"an engine is started here by root, with docker.io of Debian; no {missing}")
    namespace = f"hr-docker-{secrets.token_hex(3)}"
    folder = Path(tempfile.mkdtemp(prefix="hr-docker-", dir="/tmp"))
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
        engine = Engine(namespace, folder)
        try:
            engine.await_answer()
            yield engine
        finally:
            engine.close()
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=False)
        shutil.rmtree(folder, ignore_errors=True)
