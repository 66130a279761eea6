"""Readings of a Redis and of processes, and the use between two of them.

CPU time and counts, unlike time by the clock, depend little on the other load of the machine.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.benchmarks.processes import read_memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """State of a Redis, and of the processes of each kind, at one moment."""

    at: float
    """Seconds of a monotonic clock."""
    redis_cpu: float
    """CPU seconds of the server since its start, background threads included."""
    commands: int
    """Commands since the start, those within scripts included."""
    received: int
    sent: int
    """Bytes that the server got and gave."""
    memory: int
    """Bytes of data, by the server's own count."""
    connections: int
    cpu: Mapping[str, float]
    """CPU seconds of the processes by kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Use of a span, or of one of many equal things in it; CPU in seconds, sizes in bytes."""

    seconds: float = 0.0
    redis_cpu: float = 0.0
    commands: float = 0.0
    received: float = 0.0
    sent: float = 0.0
    memory: float = 0.0
    connections: float = 0.0
    gateway_cpu: float = 0.0
    worker_cpu: float = 0.0

    def __truediv__(self, count: float) -> "Use":
        return Use(**{name: getattr(self, name) / count for name in Use.__slots__})

    def __mul__(self, count: float) -> "Use":
        return Use(**{name: getattr(self, name) * count for name in Use.__slots__})

    def __sub__(self, other: "Use") -> "Use":
        return Use(**{name: getattr(self, name) - getattr(other, name) for name in Use.__slots__})

    def __add__(self, other: "Use") -> "Use":
        return self - other * -1.0


def use_between(before: Reading, after: Reading) -> Use:
    """Return the use of the span between two readings."""
    return Use(
        seconds=after.at - before.at,
        redis_cpu=after.redis_cpu - before.redis_cpu,
        commands=after.commands - before.commands,
        received=after.received - before.received,
        sent=after.sent - before.sent,
        memory=after.memory - before.memory,
        connections=after.connections - before.connections,
        gateway_cpu=after.cpu["gateway"] - before.cpu["gateway"],
        worker_cpu=after.cpu["worker"] - before.cpu["worker"],
    )


def read_redis(client: redis.Redis) -> dict[str, Any]:
    """Return the figures of a server that `Reading` has."""
    info: Any = client.info("everything")
    return {
        "redis_cpu": info["used_cpu_sys"] + info["used_cpu_user"],
        "commands": info["total_commands_processed"],
        "received": info["total_net_input_bytes"],
        "sent": info["total_net_output_bytes"],
        "memory": info["used_memory"] - info["mem_clients_normal"] - info["mem_aof_buffer"],
        "connections": info["connected_clients"],
    }


def read_cpu(pids: Iterable[int]) -> float:
    """Return the CPU seconds of the running threads of processes, to the nanosecond."""
    total = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(path.read_text().split()[0])
    return total / 1e9


def read_megabytes(pids: Iterable[int]) -> float:
    """Return the proportional memory of processes."""
    return sum(read_memory(pid).get("pss", 0.0) for pid in pids)
