"""Who runs a workflow for the terminal: the API over HTTP, or the store itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from deploy.http_client import Unreachable, call
from deploy.problems import CommandFailed, Refused
from deploy.stack import Stack, find_stack, read_private

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

    async def execution(self, execution_id: str) -> Answer:
        """An execution and its nodes."""
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
        path = f"/api/workflows/{quote(slug, safe='')}/run?async=true"
        return await self._call("POST", path, {"inputs": inputs})

    async def execution(self, execution_id: str) -> Answer:
        """One request."""
        return await self._call("GET", f"/api/executions/{execution_id}")

    async def _call(self, method: str, path: str, body: Answer | None = None) -> Answer:
        status, answer = await asyncio.to_thread(
            call, method, self._url + path, key=self._key, body=body
        )
        if status >= 400 or not isinstance(answer, dict):
            raise Refused(status, answer)
        return answer


@asynccontextmanager
async def open_caller(
    data_dir: Path, *, key: str | None, account_id: str | None, slug: str
) -> AsyncIterator[Caller]:
    """The API where it answers and there is a key, else the store; the demo's key by default."""
    stack = find_stack(data_dir)
    if key is None and account_id is None:
        key = _demo_key(data_dir)
    if key is not None and stack.url is not None and await _is_up(stack):
        yield HttpCaller(stack.url, key)
        return
    from deploy.store_caller import open_store_caller

    async with open_store_caller(
        stack.redis_url, key=key, account_id=account_id, slug=slug
    ) as caller:
        yield caller


def _demo_key(data_dir: Path) -> str:
    key = read_private(data_dir / "demo.json").get("key")
    if not isinstance(key, str):
        raise CommandFailed(
            "There is no demo account here: name a --key or an --account, or set HEADRACE_API_KEY."
        )
    return key


async def _is_up(stack: Stack) -> bool:
    try:
        status, _ = await asyncio.to_thread(call, "GET", f"{stack.url}/healthz", timeout=2)
    except Unreachable:
        return False
    return status < 500
