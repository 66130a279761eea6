"""Content of a database in a comparable form."""

from typing import Any

from engine.store.redis.client import Client

READS: dict[bytes, tuple[str | int, ...]] = {
    b"string": ("GET",),
    b"stream": ("XRANGE", "-", "+"),
    b"hash": ("HGETALL",),
    b"set": ("SMEMBERS",),
    b"list": ("LRANGE", 0, -1),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
}


async def contents(client: Client) -> dict[bytes, Any]:
    """Return type, value and presence of an expiry by key."""
    found = {}
    for key in await client.send("KEYS", "*"):
        kind = await client.send("TYPE", key)
        command, *rest = READS[kind]
        value = await client.send(command, key, *rest)
        expires = await client.send("PTTL", key) > 0
        found[key] = (kind, sorted(value) if kind == b"set" else value, expires)
    return found
