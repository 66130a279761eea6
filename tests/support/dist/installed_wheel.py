"""Headrace installed from its wheel, in an environment of its own, and started as users do."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.net.http_client import call
from deploy.stack.location import read_private
from tests.support.dist.interpreters import Interpreter
from tests.support.eventually import PATIENCE_SECONDS

START_SECONDS = 2 * PATIENCE_SECONDS
NEEDED_NOWHERE = ("git", "make", "node", "npm")


def clean_environ(**more: str) -> dict[str, str]:
    """Return this process's environment without settings, and without the code of the clone."""
    left_out = ("HEADRACE_", "PYTHON", "VIRTUAL_ENV")
    return {k: v for k, v in os.environ.items() if not k.startswith(left_out)} | more


@dataclass(frozen=True, slots=True)
class InstalledWheel:
    """An environment with the wheel, in the tree of an interpreter."""

    interpreter: Interpreter
    folder: Path
    """Folder of the environment and of installations, inside the tree."""

    @property
    def programs(self) -> Path:
        return self.folder / "venv" / "bin"

    @property
    def place(self) -> Path:
        """The folder, as this process sees it."""
        return self.interpreter.seen_from_here(self.folder)

    @property
    def environ(self) -> dict[str, str]:
        """Variables of a user who has nothing but the environment."""
        return {"PATH": str(self.programs), "HOME": str(self.folder), "LANG": "C.UTF-8"}

    def install(self, wheel: Path, *options: str) -> float:
        """Make the environment anew and install the wheel; return the seconds of pip."""
        shutil.rmtree(self.place / "venv", ignore_errors=True)
        shutil.copy(wheel, self.place)
        python = self.interpreter.program
        self._run(python, "-m", "venv", str(self.folder / "venv"))
        began = time.monotonic()
        pip = (str(self.programs / "python"), "-m", "pip", "install", "--quiet", *options)
        self._run(*pip, str(self.folder / wheel.name))
        return time.monotonic() - began

    def _run(self, *words: str) -> str:
        command = self.interpreter.command(self.folder, *words)
        environ = clean_environ(PIP_DISABLE_PIP_VERSION_CHECK="1")
        done = subprocess.run(
            command, cwd=self.place, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def headrace(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the wheel as that user."""
        command = self.interpreter.command(self.folder, str(self.programs / "headrace"), *words)
        return subprocess.run(
            command, cwd=self.place, env=self.environ, capture_output=True, text=True, check=False
        )

    def up(self, name: str) -> AbstractContextManager["WheelStack"]:
        """Run `headrace up` in a folder, which is made if it is missing."""
        words = (str(self.programs / "headrace"), "up", "--port", "0")
        command = self.interpreter.command(self.folder / name, *words)
        return stack_in(self.place / name, command, self.environ)


@contextmanager
def stack_in(
    folder: Path, command: Sequence[str], environ: Mapping[str, str]
) -> Iterator["WheelStack"]:
    """Run a command that is `headrace up`, with its data in a folder of the folder."""
    folder.mkdir(exist_ok=True)
    with (
        folder.with_suffix(".log").open("w+") as log,
        subprocess.Popen(
            command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield WheelStack(process, folder / ".headrace", log)
        finally:
            # Its processes end with it.
            process.kill()


class WheelStack:
    """One `headrace up` of a wheel."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path, log: IO[str]) -> None:
        self._process = process
        self._data_dir = data_dir
        self._log = log
        self._began = time.monotonic()
        self.printed: list[str] = []

    def line(self, prefix: str) -> str:
        """Return the next line of standard output with this prefix; ends a silent process."""
        assert self._process.stdout is not None
        alarm = threading.Timer(START_SECONDS, self._process.kill)
        alarm.start()
        try:
            for line in self._process.stdout:
                self.printed.append(line)
                if line.startswith(prefix):
                    return line.rstrip("\n")
        finally:
            alarm.cancel()
        raise AssertionError(f"no line {prefix!r} in {self.printed}; said: {self._said()}")

    def seconds(self) -> float:
        """Return the time since the start."""
        return time.monotonic() - self._began

    @property
    def url(self) -> str:
        return str(read_private(self._data_dir / "stack.json")["url"])

    @property
    def key(self) -> str:
        return str(read_private(self._data_dir / "demo.json")["key"])

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the API with the demonstration's key."""
        return call(method, self.url + path, key=self.key, body=body)

    def stop(self) -> int:
        """End it by SIGTERM; return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(PATIENCE_SECONDS)

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()


def download_dependencies(wheel: Path, version: str, folder: Path) -> list[str]:
    """Fetch all that the wheel needs on a version of Python, as wheels; return their names."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:")
    options = ("--python-version", version, "--dest", str(folder))
    done = subprocess.run([*pip, *options, str(wheel)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"Not all dependencies have a wheel for {version}: {done.stderr}"
    return sorted(path.name for path in folder.glob("*.whl"))
