"""Slugs of new workflows: taken once in the directory, for good."""

from itertools import count

from engine.ids.slugs import numbered
from engine.store.redis import keyspace
from engine.store.redis.client import Client

SLUGS_PER_LOOK = 64


async def take_slug(client: Client, account_id: str, slug: str) -> str:
    """Take the slug for an account, or the first free one of `slug-2`, `slug-3` and so on."""
    for start in count(1, SLUGS_PER_LOOK):
        numbers = range(start, start + SLUGS_PER_LOOK)
        names = [slug if number == 1 else numbered(slug, number) for number in numbers]
        owners = await client.send("HMGET", keyspace.slugs(), *names)
        for name, owner in zip(names, owners, strict=True):
            if owner is None and await client.send("HSETNX", keyspace.slugs(), name, account_id):
                return name
    raise AssertionError("counting does not end")
