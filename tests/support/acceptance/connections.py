"""Processes at the ends of a connection."""

import socket
from collections.abc import Iterator
from pathlib import Path


def owner_of(port: int, candidates: list[int]) -> int:
    """Return the process that has the connection from this port of loopback."""
    return _holder_of(port, 1, candidates)


def server_of(port: int, candidates: list[int]) -> int:
    """Return the process that answers the connection from this port of loopback."""
    return _holder_of(port, 2, candidates)


def _holder_of(port: int, column: int, candidates: list[int]) -> int:
    inodes = set(_inodes(port, column))
    for pid in candidates:
        links = (Path(f"/proc/{pid}/fd")).iterdir()
        if any(str(link.readlink()) in inodes for link in links if link.is_symlink()):
            return pid
    raise AssertionError(f"none of {candidates} has a connection from port {port}")


def _inodes(port: int, column: int) -> Iterator[str]:
    local = socket.inet_aton("127.0.0.1")[::-1].hex().upper() + f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[column] == local:
            yield f"socket:[{words[9]}]"
