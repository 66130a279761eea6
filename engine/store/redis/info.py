"""Time of Redis, and facts that it reports with `INFO`; of a cluster each primary is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.store.redis.client import Client

FULL_SHARE = 0.85
"""Share of `maxmemory` from which new work may soon be refused."""


@dataclass(frozen=True, slots=True)
class RedisMemory:
    """Bytes that Redis uses by its own count, and its `maxmemory`, 0: none."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """Return the used share of the limit, 0 without one."""
        return self.used / self.limit if self.limit > 0 else 0.0

    @property
    def is_nearly_full(self) -> bool:
        """Return whether Redis may soon refuse new work."""
        return self.share >= FULL_SHARE


async def read_now(client: Client) -> int:
    """Return Redis's time in milliseconds, of a cluster that of the primary of `hr:workers`."""
    seconds, micros = await client.send("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


async def read_infos(client: Client, *sections: str) -> Sequence[Mapping[str, str]]:
    """Return the fields of the named sections, of the default ones without names, by primary."""
    replies = await client.send_to_all("INFO", *sections)
    return [_parse(reply) for reply in replies]


async def read_info(client: Client, *sections: str) -> Mapping[str, str]:
    """Return the fields of one server like `read_infos`, those of any primary of a cluster."""
    return (await read_infos(client, *sections))[0]


async def read_memory(client: Client) -> RedisMemory:
    """Return the current memory of Redis, of a cluster that of the fullest primary."""
    memories = [parse_memory(info) for info in await read_infos(client, "memory")]
    return max(memories, key=lambda memory: (memory.share, memory.used))


async def read_uptime(client: Client) -> int:
    """Return the seconds since the start of Redis, of a cluster since that of its last primary."""
    infos = await read_infos(client, "server")
    return min(int(info.get("uptime_in_seconds", 0)) for info in infos)


def _parse(reply: bytes) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in reply.decode().splitlines())
    return {name: value.strip() for name, sign, value in pairs if sign}


def parse_memory(info: Mapping[str, str]) -> RedisMemory:
    """Return the memory from section `memory`, without buffers that the limit ignores."""
    uncounted = int(info.get("mem_not_counted_for_evict", 0))
    used = int(info.get("used_memory", 0)) - uncounted
    return RedisMemory(used=used, limit=int(info.get("maxmemory", 0)))
