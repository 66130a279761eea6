"""Run `pip install` for `make` and show its progress.

A script that needs the standard library alone, since nothing else is installed yet:
`install.py TITLE ARGUMENT…`, where TITLE is shown to people and the arguments are pip's.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

TICK_SECONDS = 0.2
LINE_SECONDS = 5.0
"""Interval between lines of progress where lines cannot be replaced, as in a file."""
FILE = re.compile(r"\s*(?:Downloading|Using cached) (\S+) \(([\d.]+) (bytes|kB|MB|GB)\)")
PREPARATION = re.compile(r"\s*(\w.*): started$")
PART = re.compile(r"Progress (\d+) of \d+")
PACKAGES = re.compile(r"Installing collected packages: (.+)")
TROUBLE = re.compile(r"\s*(?:WARNING|ERROR|error)\b")
BYTES = {"bytes": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}
TERMINATED = 128 + signal.SIGTERM
LAST_LINES = 20


class InstallProgress:
    """Progress of pip, read from its output."""

    def __init__(self, site: Path) -> None:
        self._site = site
        self._before = self._installed()
        self._files: dict[str, float] = {}
        self._part = 0.0
        self._newest = ""
        self._preparation = "asking for the packages"
        self._packages = 0

    def read(self, line: str) -> None:
        """Read one line of output."""
        if (file := FILE.match(line)) and not file[1].endswith(".metadata"):
            self._newest = file[1]
            self._files[file[1]] = float(file[2]) * BYTES[file[3]]
            self._part = self._files[file[1]] if "cached" in line else 0.0
        elif part := PART.match(line):
            self._part = float(part[1])
        elif preparation := PREPARATION.match(line):
            self._preparation = preparation[1].lower()
        elif packages := PACKAGES.match(line):
            self._packages = packages[1].count(",") + 1
            self._part = self._files.get(self._newest, 0.0)

    def now(self) -> str:
        """Return the current step as a text."""
        if self._packages:
            done = min(max(self._installed() - self._before, 0), self._packages)
            return f"{self._downloaded()}; unpacked {done} of {self._packages}"
        if self._files:
            return f"{self._downloaded()}: {self._newest.partition('-')[0]}"
        return self._preparation

    def end(self) -> str:
        """Return the total as a text."""
        return self._downloaded() if self._files else "no package was missing"

    def _downloaded(self) -> str:
        whole = sum(self._files.values()) - self._files.get(self._newest, 0.0)
        count = len(self._files)
        return f"{count} package{'' if count == 1 else 's'}, {(whole + self._part) / 1e6:.1f} MB"

    def _installed(self) -> int:
        return sum(1 for _ in self._site.glob("*.dist-info"))


class Display:
    """Lines on a stream: on a terminal, each step replaces the previous one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._replaces = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown_at = time.monotonic()

    def step(self, text: str) -> None:
        """Show a step that another replaces."""
        now = time.monotonic()
        if self._replaces:
            columns = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[K{text[:columns]}")
        elif now - self._shown_at >= LINE_SECONDS:
            self._shown_at = now
            self._write(f"{text}\n")

    def line(self, text: str) -> None:
        """Show a line that stays."""
        self._write(f"\r\x1b[K{text}\n" if self._replaces else f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def install(title: str, command: Sequence[str], stream: TextIO, site: Path) -> int:
    """Run pip, show its steps and problems; return its exit code."""
    display, progress, began = Display(stream), InstallProgress(site), time.monotonic()
    display.line(f"Installing {title} into {os.path.relpath(sys.prefix)}")
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environ,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            last_lines = _follow(process, display, progress, began)
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    seconds = time.monotonic() - began
    if code == 0:
        display.line(f"  {progress.end()}, in {seconds:.0f} s")
    else:
        display.line("\n".join((*last_lines, f"  pip has failed after {seconds:.0f} s")))
    return code


def _follow(
    process: subprocess.Popen[str], display: Display, progress: InstallProgress, began: float
) -> list[str]:
    """Show pip's output until it ends; return its last lines when no problem was shown."""
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    last: list[str] = []
    has_failed = False
    while True:
        try:
            line = lines.get(timeout=TICK_SECONDS)
        except queue.Empty:
            line = ""
        if line is None:
            return [] if has_failed else last[-LAST_LINES:]
        progress.read(line)
        trouble = TROUBLE.match(line)
        has_failed = has_failed or (trouble is not None and "WARNING" not in trouble[0])
        if trouble or (has_failed and line):
            display.line(line)
        elif line and not PART.match(line):
            last.append(line)
        display.step(f"  {progress.now()} ({time.monotonic() - began:.0f} s)")


def _read(process: subprocess.Popen[str], lines: "queue.Queue[str | None]") -> None:
    for line in process.stdout or ():
        lines.put(line.rstrip())
    lines.put(None)


def main() -> int:
    """Install; an interrupt ends pip too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    title, *arguments = sys.argv[1:]
    command = (sys.executable, "-m", "pip", "install", "--progress-bar", "raw", *arguments)
    try:
        return install(title, command, sys.stdout, Path(sysconfig.get_path("purelib")))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
