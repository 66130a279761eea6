"""Directory of workflows: the owner of each slug, and the lists of templates and public forms."""

import asyncio
from itertools import count

from engine.errors import WorkflowNotFound
from engine.graph.document import Document
from engine.ids.slugs import numbered
from engine.store.redis import keyspace
from engine.store.redis.client import Client

SLUGS_PER_LOOK = 64
UNLISTED = Document(name="")
"""Document that is in no list."""


class Directory:
    """Assigns slugs for good, and finds workflows by them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def assign(self, account_id: str, slug: str) -> str:
        """Assign the slug to an account, or the first free one of `slug-2`, `slug-3` and so on."""
        for start in count(1, SLUGS_PER_LOOK):
            numbers = range(start, start + SLUGS_PER_LOOK)
            names = [slug if number == 1 else numbered(slug, number) for number in numbers]
            owners = await self._client.send("HMGET", keyspace.slugs(), *names)
            for name, owner in zip(names, owners, strict=True):
                if owner is None and await self._client.send(
                    "HSETNX", keyspace.slugs(), name, account_id
                ):
                    return name
        raise AssertionError("counting does not end")

    async def release(self, slug: str) -> None:
        """Let the slug be assigned again, after a refused first save."""
        await self._client.send("HDEL", keyspace.slugs(), slug)

    async def owner(self, slug: str) -> str:
        """Return the account of a slug. Raises WorkflowNotFound."""
        data: bytes | None = await self._client.send("HGET", keyspace.slugs(), slug)
        if data is None:
            raise WorkflowNotFound
        return data.decode()

    async def find_template(self, slug: str) -> tuple[str, bool]:
        """Return the account of a slug, empty for none, and whether it is a template's."""
        return await self._find(slug, keyspace.templates())

    async def find_public(self, slug: str) -> tuple[str, bool]:
        """Return the account of a slug, empty for none, and whether its schema is public."""
        return await self._find(slug, keyspace.public_forms())

    async def _find(self, slug: str, listed_in: str) -> tuple[str, bool]:
        owner, is_listed = await asyncio.gather(
            self._client.send("HGET", keyspace.slugs(), slug),
            self._client.send("SISMEMBER", listed_in, slug),
        )
        return (owner or b"").decode(), bool(owner and is_listed)

    async def list_published(self, slug: str, document: Document, updated_at: int) -> None:
        """Put a published document into the lists that it belongs to, and out of the others."""
        by_time = keyspace.templates_by_time()
        await asyncio.gather(
            self._client.send("SADD", keyspace.public_forms(), slug)
            if document.public_playground
            else self._client.send("SREM", keyspace.public_forms(), slug),
            *(
                (
                    self._client.send("SADD", keyspace.templates(), slug),
                    self._client.send("ZADD", by_time, updated_at, slug),
                )
                if document.is_template
                else (
                    self._client.send("SREM", keyspace.templates(), slug),
                    self._client.send("ZREM", by_time, slug),
                )
            ),
        )
