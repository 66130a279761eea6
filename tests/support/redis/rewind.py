"""Redis as it was a moment ago, as after a failover that lost the latest writes."""

from dataclasses import dataclass

from engine.store.redis.client import Client


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Each key's value and milliseconds to live, 0: for ever."""

    keys: dict[bytes, tuple[bytes, int]]


async def take_snapshot(client: Client) -> Snapshot:
    """All that is there now."""
    found = {}
    for key in await client.send("KEYS", "*"):
        value, expires = await client.send("DUMP", key), await client.send("PTTL", key)
        found[key] = value, max(0, expires)
    return Snapshot(found)


async def rewind(client: Client, snapshot: Snapshot) -> None:
    """Lose all that was written since the snapshot, in one step."""
    replies = [client.send("MULTI"), client.send("FLUSHDB")]
    replies += [
        client.send("RESTORE", key, expires, value)
        for key, (value, expires) in snapshot.keys.items()
    ]
    replies.append(client.send("EXEC"))
    for reply in replies:
        await reply
