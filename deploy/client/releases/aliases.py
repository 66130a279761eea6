"""Aliases of workflows and their canaries, by the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from deploy.client.api import Answer, Api


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryRule:
    """Options of a canary's share and of the rule that takes it back; None leaves a default."""

    percent: int
    min_runs: int | None = None
    max_error_rate: float | None = None
    max_p95_ms: int | None = None

    def members(self) -> dict[str, Any]:
        """Return the members of the API's body."""
        members = {
            "percent": self.percent,
            "minRuns": self.min_runs,
            "maxErrorRate": self.max_error_rate,
            "maxP95Ms": self.max_p95_ms,
        }
        return {name: value for name, value in members.items() if value is not None}


class AliasCaller:
    """Reads and changes the aliases of one workflow."""

    def __init__(self, api: Api, slug: str) -> None:
        self._api = api
        self._path = f"/api/workflows/{quote(slug, safe='')}/aliases"

    async def aliases(self) -> list[Answer]:
        """Return all aliases of the workflow, `live` first."""
        rows: list[Answer] = (await self._api.get(self._path))["rows"]
        return rows

    async def get(self, name: str) -> Answer:
        """Return one alias."""
        alias: Answer = await self._api.get(self._of(name))
        return alias

    async def set(self, name: str, body: Mapping[str, Any]) -> Answer:
        """Set an alias; a body without `canary` ends its canary."""
        return await self._api.put(self._of(name), body)

    async def promote(self, name: str) -> Answer:
        """Make the canary the alias' version."""
        return await self._api.post(self._of(name, "promote"))

    async def canary(self, name: str) -> Answer:
        """Return the counts of the canary's runs and of those beside it."""
        counts: Answer = await self._api.get(self._of(name, "canary"))
        return counts

    async def delete(self, name: str) -> None:
        """Delete an alias."""
        await self._api.delete(self._of(name))

    async def history(self, name: str) -> list[Answer]:
        """Return the newest 200 changes of an alias, newest first."""
        rows: list[Answer] = (await self._api.get(self._of(name, "history")))["rows"]
        return rows

    def _of(self, name: str, *rest: str) -> str:
        return "/".join((self._path, quote(name, safe=""), *rest))
