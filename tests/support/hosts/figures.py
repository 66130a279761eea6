"""Figures of scenes: values of each repetition by name, which are printed and kept in a file."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPEATS = int(os.environ.get("HOSTS_REPEATS", "3"))
FILE = "HOSTS_FIGURES"
"""Variable that names the file in which figures are kept."""
ROOT = Path(__file__).parents[3]


class Figures:
    """Figures of one scene."""

    def __init__(self, scene: str) -> None:
        self.scene = scene
        self.values: defaultdict[str, list[float]] = defaultdict(list)
        self.more: dict[str, Any] = {}
        """Series of a drawing."""

    def add(self, name: str, *values: float) -> None:
        """Keep values of one repetition. The name ends with the unit."""
        self.values[name] += values

    def add_spread(self, name: str, unit: str, values: Iterable[float]) -> None:
        """Keep the median and the largest of many values as figures of one repetition."""
        found = list(values)
        self.add(f"{name}, median ({unit})", statistics.median(found))
        self.add(f"{name}, longest ({unit})", max(found))

    def show(self) -> str:
        """Return a line for each figure."""
        rows = (
            f"  {name}: {' '.join(f'{value:.2f}' for value in values)}"
            for name, values in self.values.items()
        )
        return "\n".join([f"\n{self.scene}", *rows])

    def keep(self) -> None:
        """Add the figures to the file, if one is named."""
        if not (name := os.environ.get(FILE)):
            return
        path = Path(name)
        kept = json.loads(path.read_text()) if path.exists() else {"scenes": {}}
        rounded = {name: [round(v, 3) for v in values] for name, values in self.values.items()}
        kept["scenes"][self.scene] = {"figures": rounded, **self.more}
        kept["measured"], kept["repeats"] = surroundings(), REPEATS
        path.write_text(json.dumps(kept, indent=1) + "\n")


def surroundings() -> str:
    """Return moment, commit, machine, Python and load of the measurement."""
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    words = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    python = ".".join(map(str, sys.version_info[:3]))
    load = os.getloadavg()[1]
    return f"{moment}, commit {commit}, {machine}, Python {python}, load average {load:.0f}"
