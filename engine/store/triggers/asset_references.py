"""References by which triggers retain assets: a schedule may name some in its inputs."""

from collections.abc import Sequence

from engine.store.redis.client import Client
from engine.store.triggers.keys import triggers

REFERENCE = "trigger "
"""Prefix of ids of triggers among the references of an asset."""


def asset_reference(trigger_id: str) -> str:
    """Return the reference by which a trigger retains assets for as long as it exists."""
    return f"{REFERENCE}{trigger_id}"


async def living_references(client: Client, account_id: str, names: Sequence[str]) -> set[str]:
    """Return those references that are of triggers of the account which exist."""
    found = [each for each in names if each.startswith(REFERENCE)]
    if not found:
        return set()
    ids = [each.removeprefix(REFERENCE) for each in found]
    records = await client.send("HMGET", triggers(account_id), *ids)
    return {each for each, record in zip(found, records, strict=True) if record is not None}
