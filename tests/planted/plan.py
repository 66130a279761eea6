"""Planted faults, and the copy of the code that has one of them."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("engine", "gateway", "workers", "deploy", "tests", "examples", "docs")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE")
COPY = "planted-copy"
"""A file that copies have, so that no fault gets into the code itself."""
LOADS = "import engine, workers.main, gateway.app; print(engine.__file__)"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A fault: `old`, which a file has once, becomes `new`; tests of one of the rows must fail."""

    name: str
    file: str
    old: str
    new: str
    rows: tuple[str, ...]

    @property
    def is_script(self) -> bool:
        """Whether the file is a script of Redis."""
        return self.file.endswith(".lua")

    @contextmanager
    def planted(self, folder: Path) -> Iterator[None]:
        """Have the fault in the code of a folder while the context lasts."""
        path = folder / self.file
        before = path.read_text(encoding="utf-8")
        path.write_text(self.changed(before), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(before, encoding="utf-8")

    def changed(self, text: str) -> str:
        """Return the text with the fault. Raises ValueError unless it has `old` once."""
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.file} has the text of '{self.name}' {text.count(self.old)} times"
            )
        return text.replace(self.old, self.new)


def planted_faults() -> list[Planted]:
    """Return all of them."""
    text = (Path(__file__).parent / "faults.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["fault"]
    return [Planted(**{**each, "rows": tuple(each["rows"])}) for each in rows]


def copy_code(folder: Path) -> None:
    """Copy the code, its tests and what they read."""
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", ".mypy_cache")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored, symlinks=True)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    (folder / COPY).touch()


def environ(folder: Path) -> dict[str, str]:
    """Return the environment in which a folder's code is imported, and reasons are told whole."""
    return {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "250"}


def run_in(folder: Path, *words: str, seconds: float = 120) -> tuple[int, str]:
    """Run this Python on the copy's code; return its code and what it wrote.

    Raises subprocess.TimeoutExpired after `seconds`; all processes that it started are killed.
    """
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environ(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            written, _ = started.communicate(timeout=max(seconds, 1))
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            raise
    return started.returncode, written


def require_loading(folder: Path) -> None:
    """Raise ValueError unless the code of the copy loads, from the copy."""
    _, written = run_in(folder, "-c", LOADS)
    if not written.startswith(str(folder)):
        raise ValueError(f"the code does not load: {written[-500:]}")
