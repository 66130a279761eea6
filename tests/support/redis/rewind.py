"""Snapshots of Redis, to lose the latest writes as a failover does."""

from dataclasses import dataclass

from engine.store.redis.client import Client


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Each key's value and milliseconds to live, 0: without an expiry."""

    keys: dict[bytes, tuple[bytes, int]]


async def take_snapshot(client: Client) -> Snapshot:
    """Return a snapshot of all keys."""
    found = {}
    for key in await client.send("KEYS", "*"):
        value, expires = await client.send("DUMP", key), await client.send("PTTL", key)
        found[key] = value, max(0, expires)
    return Snapshot(found)


async def rewind(client: Client, snapshot: Snapshot) -> None:
    """Lose all writes since the snapshot, in one step."""
    replies = [client.send("MULTI"), client.send("FLUSHDB")]
    replies += [
        client.send("RESTORE", key, expires, value)
        for key, (value, expires) in snapshot.keys.items()
    ]
    replies.append(client.send("EXEC"))
    for reply in replies:
        await reply
