"""Workflows with a canary, whose runs end as a test wants."""

from dataclasses import dataclass
from typing import Any

import msgspec

from engine.releases.aliases import LIVE, Alias, Canary
from engine.store import Account, Store
from engine.store.redis import keyspace
from engine.store.releases.keys import ALIASES, ALIASES_REVISION, alias_history
from tests.support.releases.ended_releases import EndedReleases

CANARY = Canary(id="one", version=2, percent=5, min_runs=4, max_error_rate=0.25)
URL = "https://example.com/hook"


@dataclass(frozen=True)
class WatchedWorkflow:
    """A workflow whose alias has the canary `one`."""

    store: Store
    account: Account
    releases: EndedReleases

    @classmethod
    async def of(
        cls, store: Store, account: Account, *, name: str = LIVE, canary: Canary = CANARY
    ) -> "WatchedWorkflow":
        """Save the workflow with its alias."""
        made = cls(store, account, await EndedReleases.of(store, account))
        await made.set_canary(name, canary)
        return made

    @property
    def slug(self) -> str:
        """Slug of the workflow."""
        return self.releases.slug

    @property
    def key(self) -> str:
        """Key of the workflow's record."""
        return keyspace.workflow(self.account.id, self.slug)

    async def set_canary(self, name: str = LIVE, canary: Canary | None = CANARY) -> None:
        """Write the one alias of the workflow, as the scripts of aliases do."""
        aliases = {name: Alias(version=1, canary=canary, updated_at=1)}
        packed = msgspec.json.encode(aliases)
        revision = await self.revision() + 1
        fields = (ALIASES, packed, ALIASES_REVISION, revision)
        await self.store.client.send("HSET", self.key, *fields)

    async def canary(self, name: str = LIVE) -> Canary | None:
        """Return the canary of an alias, None for none."""
        watched = await self.store.canaries.read(self.account.id, self.slug)
        alias = watched.aliases.by_name.get(name)
        return None if alias is None else alias.canary

    async def revision(self) -> int:
        """Return the number of changes of the aliases."""
        return int(await self.store.client.send("HGET", self.key, ALIASES_REVISION) or 0)

    async def history(self, name: str = LIVE) -> list[dict[str, Any]]:
        """Return the history of an alias, oldest first."""
        key = alias_history(self.account.id, self.slug)
        last = int(await self.store.client.send("HGET", key, f"{name}.last") or 0)
        entries = [
            await self.store.client.send("HGET", key, f"{name}.{number}")
            for number in range(1, last + 1)
        ]
        return [msgspec.json.decode(each) for each in entries]

    async def webhook(self, *events: str) -> str:
        """Save a webhook for a new key that asks for these events; return the key's id."""
        capabilities = ["workflow:run", "webhook:receive"]
        key, _ = await self.store.api_keys.create(self.account, name="k", capabilities=capabilities)
        await self.store.webhooks.save(self.account.id, key.id, url=URL, events=events or None)
        return key.id

    async def delivered(self, key_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the events and bodies of the deliveries of a key's webhook."""
        rows, _ = await self.store.deliveries.list(self.account.id, key_id, limit=50)
        bodies = [
            await self.store.client.send("HGET", keyspace.delivery(self.account.id, row.id), "body")
            for row in rows
        ]
        pairs = zip(rows, bodies, strict=True)
        return [(row.event, msgspec.json.decode(body)) for row, body in pairs]
