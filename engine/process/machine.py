"""Memory limit of the machine or container of this process."""

import os
from pathlib import Path

ROOT = Path("/")
UNLIMITED = 1 << 60
"""Limits from this size on mean "no limit", which version 1 of control groups cannot express."""


def memory_bytes(root: Path = ROOT) -> int:
    """Return the bytes available to all processes of this machine or control group; 0: unknown."""
    sizes = [size for size in (_physical(), *_limits(root)) if 0 < size < UNLIMITED]
    return min(sizes, default=0)


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _limits(root: Path) -> list[int]:
    """Return the limits of this process's control groups and of all their ancestors."""
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
    """Return the limits of the group at `path` and of its ancestors below the mount.

    In a container the path may be the host's while the mount is the container's own group.
    """
    group = mounted / path.lstrip("/")
    places = [place for place in (group, *group.parents) if place.is_relative_to(mounted)]
    return [_read_limit(place / name) for place in places]


def _read_limit(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max", or no such control group here
        return 0
