"""Memory of the machine, or of the container that this process runs in."""

import os
from pathlib import Path

ROOT = Path("/")
UNLIMITED = 1 << 60
"""A limit of this size or more is none: control groups of the first version have no other word."""


def memory_bytes(root: Path = ROOT) -> int:
    """Bytes that the processes here may have together: the machine's, or a control group's limit.

    0: unknown.
    """
    found = [size for size in (_physical(), *_limits(root)) if 0 < size < UNLIMITED]
    return min(found, default=0)


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _limits(root: Path) -> list[int]:
    """Limits of the control groups of this process, outer ones included."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            limits += _limits_of(root / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits_of(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
    return limits


def _limits_of(mounted: Path, path: str, name: str) -> list[int]:
    """Limits from the group at the path up to the mounted one.

    In a container the path may be that of the host, and the mounted group that of the container.
    """
    group = mounted / path.lstrip("/")
    places = [place for place in (group, *group.parents) if place.is_relative_to(mounted)]
    return [_read_limit(place / name) for place in places]


def _read_limit(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max", or no such control group here
        return 0
