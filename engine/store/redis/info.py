"""Facts that Redis reports with `INFO`."""

from collections.abc import Mapping
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
    def is_nearly_full(self) -> bool:
        """Return whether Redis may soon refuse new work."""
        return self.limit > 0 and self.used >= FULL_SHARE * self.limit


async def read_info(client: Client, *sections: str) -> Mapping[str, str]:
    """Return the fields of the named sections, of the default ones without names."""
    reply: bytes = await client.send("INFO", *sections)
    pairs = (line.partition(":") for line in reply.decode().splitlines())
    return {name: value.strip() for name, sign, value in pairs if sign}


async def read_memory(client: Client) -> RedisMemory:
    """Return the current memory of Redis."""
    return parse_memory(await read_info(client, "memory"))


def parse_memory(info: Mapping[str, str]) -> RedisMemory:
    """Return the memory from section `memory`, without buffers that the limit ignores."""
    uncounted = int(info.get("mem_not_counted_for_evict", 0))
    used = int(info.get("used_memory", 0)) - uncounted
    return RedisMemory(used=used, limit=int(info.get("maxmemory", 0)))
