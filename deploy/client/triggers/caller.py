"""Triggers and their occurrences, by the API."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from deploy.client.api import Answer, Api
from deploy.client.callers import SHORT_PAGE, WorkflowCaller, read_rows

PATH = "/api/triggers"
MOST_TRIGGERS = 1_000
"""More than an account may have."""


class TriggerCaller:
    """Creates, changes and reads triggers, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.workflows = WorkflowCaller(api)

    async def triggers(self, slug: str | None) -> list[Answer]:
        """Return the triggers of the account, or of one of its workflows."""
        wanted = {} if slug is None else {"workflowSlug": slug}
        return await self._rows(PATH, wanted, MOST_TRIGGERS)

    async def trigger(self, trigger_id: str) -> Answer:
        """Return a trigger."""
        trigger: Answer = await self._api.get(_path(trigger_id))
        return trigger

    async def create(self, body: Mapping[str, Any]) -> Answer:
        """Create a trigger."""
        return await self._api.post(PATH, body)

    async def enable(self, trigger_id: str, *, enabled: bool) -> Answer:
        """Pause a trigger, or let it go on."""
        return await self._api.patch(_path(trigger_id), {"enabled": enabled})

    async def delete(self, trigger_id: str) -> None:
        """Delete a trigger; executions that it has started go on."""
        await self._api.delete(_path(trigger_id))

    async def run(self, trigger_id: str) -> Answer:
        """Start an occurrence of a schedule now."""
        return await self._api.post(f"{_path(trigger_id)}/run")

    async def rotate(self, trigger_id: str) -> Answer:
        """Give an inbound webhook a new URL; the old one is unknown at once."""
        return await self._api.post(f"{_path(trigger_id)}/rotate")

    async def test(self, trigger_id: str, body: Mapping[str, Any]) -> Answer:
        """Evaluate the expressions of an inbound webhook for an event, without a run."""
        return await self._api.post(f"{_path(trigger_id)}/test", body)

    async def occurrences(self, trigger_id: str, status: str | None, limit: int) -> list[Answer]:
        """Return the newest occurrences of a trigger."""
        wanted = {} if status is None else {"status": status}
        return await self._rows(f"{_path(trigger_id)}/occurrences", wanted, limit)

    async def preview(self, cron: str, timezone: str, count: int) -> Answer:
        """Return the next due times of a schedule, as `at`."""
        body = {"cron": cron, "timezone": timezone, "count": count}
        return await self._api.post(f"{PATH}/preview", body)

    async def _rows(self, path: str, wanted: Mapping[str, str], limit: int) -> list[Answer]:
        return await read_rows(self._api, path, limit, wanted, page_rows=SHORT_PAGE)


def _path(trigger_id: str) -> str:
    return f"{PATH}/{quote(trigger_id, safe='')}"
