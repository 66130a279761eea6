"""Facts that Redis tells of itself with `INFO`."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.store.redis.client import Client

FULL_SHARE = 0.85
"""Used to this share of its limit, Redis has little room for what is accepted next."""


@dataclass(frozen=True, slots=True)
class RedisMemory:
    """Bytes that Redis uses, as it reckons itself, and its `maxmemory`, 0: none."""

    used: int
    limit: int

    @property
    def is_nearly_full(self) -> bool:
        """Whether new work may soon be refused."""
        return self.limit > 0 and self.used >= FULL_SHARE * self.limit


async def read_info(client: Client, *sections: str) -> Mapping[str, str]:
    """The fields of some sections, of the usual ones where none is named."""
    reply: bytes = await client.send("INFO", *sections)
    pairs = (line.partition(":") for line in reply.decode().splitlines())
    return {name: value.strip() for name, sign, value in pairs if sign}


async def read_memory(client: Client) -> RedisMemory:
    """The memory of Redis now."""
    return memory_of(await read_info(client, "memory"))


def memory_of(info: Mapping[str, str]) -> RedisMemory:
    """The memory by the section `memory`; buffers that do not count against the limit left out."""
    uncounted = int(info.get("mem_not_counted_for_evict", 0))
    used = int(info.get("used_memory", 0)) - uncounted
    return RedisMemory(used=used, limit=int(info.get("maxmemory", 0)))
