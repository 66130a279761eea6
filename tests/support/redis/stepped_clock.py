"""Clocks of processes that can be stepped while they run, by libfaketime."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RedisServer

NO_CACHE = "FAKETIME_NO_CACHE"


class SteppedClock:
    """Wall clock of processes that start with `environ`; their monotonic clock is the machine's."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self.step(0)
        self.environ = {
            "LD_PRELOAD": _find_library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            NO_CACHE: "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",  # of which a killed process would leave some behind
        }

    @property
    def cached_environ(self) -> dict[str, str]:
        """Variables of processes that look for a step once a second, and so cost less."""
        kept = {name: value for name, value in self.environ.items() if name != NO_CACHE}
        return kept | {"FAKETIME_CACHE_DURATION": "1"}

    def step(self, seconds: float) -> None:
        """Set the clock to this many seconds ahead of the machine's."""
        written = Path(f"{self._offset}.new")
        written.write_text(f"{seconds:+}\n")
        written.rename(self._offset)


class SteppedRedis(RedisServer):
    """Server with a clock of its own."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(*arguments)
        self._clock = SteppedClock(self.folder)
        self._environ = self._clock.environ

    def step(self, seconds: float) -> None:
        """Set the clock to this many seconds ahead of the machine's."""
        self._clock.step(seconds)


def _find_library() -> str:
    """Return the library that fakes the time; skip the test without it."""
    tool = shutil.which("faketime")
    if tool is None:
        pytest.skip("faketime is not installed")
    shown = subprocess.run(
        [tool, "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip()
