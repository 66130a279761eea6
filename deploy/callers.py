"""Who runs a workflow for the terminal: the API over HTTP, or the store itself."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from deploy.event_stream import Happening, read_events
from deploy.http_client import call
from deploy.problems import Refused

Answer = dict[str, Any]
FORBIDDEN = 403


class Caller(Protocol):
    """Starts executions and reads them, in the words of the API."""

    async def field_types(self, slug: str) -> dict[str, str]:
        """The type of each field of the workflow, as far as the caller may know them."""
        ...

    async def start(self, slug: str, inputs: Mapping[str, Any]) -> Answer:
        """Start an execution; gives what `?async=true` answers."""
        ...

    def watch(self, slug: str, inputs: Mapping[str, Any]) -> AsyncGenerator[Happening, None]:
        """Start an execution; gives what happens to it. It may end too early."""
        ...

    async def execution(self, execution_id: str) -> Answer:
        """An execution and its nodes."""
        ...

    def events(self, execution_id: str, after: str) -> AsyncGenerator[Happening, None]:
        """What happens to an execution behind the event with this id, empty for all.

        It may end too early.
        """
        ...


class HttpCaller:
    """Calls the API of a stack with a key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    async def field_types(self, slug: str) -> dict[str, str]:
        """A key that may run but not read gives none, and every input is a text."""
        try:
            schema = await self._call("GET", f"/api/workflows/{quote(slug, safe='')}/schema")
        except Refused as refusal:
            if refusal.status == FORBIDDEN:
                return {}
            raise
        return {field["name"]: field["type"] for field in schema["fields"]}

    async def start(self, slug: str, inputs: Mapping[str, Any]) -> Answer:
        """One request."""
        return await self._call("POST", f"{_run_path(slug)}?async=true", {"inputs": inputs})

    def watch(self, slug: str, inputs: Mapping[str, Any]) -> AsyncGenerator[Happening, None]:
        """One request."""
        return read_events(self._url + _run_path(slug), self._key, body={"inputs": inputs})

    async def execution(self, execution_id: str) -> Answer:
        """One request."""
        return await self._call("GET", f"/api/executions/{execution_id}")

    def events(self, execution_id: str, after: str) -> AsyncGenerator[Happening, None]:
        """One request."""
        url = f"{self._url}/api/executions/{execution_id}/events"
        return read_events(url, self._key, after)

    async def _call(self, method: str, path: str, body: Answer | None = None) -> Answer:
        status, answer = await asyncio.to_thread(
            call, method, self._url + path, key=self._key, body=body
        )
        if status >= 400 or not isinstance(answer, dict):
            raise Refused(status, answer)
        return answer


def _run_path(slug: str) -> str:
    return f"/api/workflows/{quote(slug, safe='')}/run"
