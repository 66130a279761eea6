"""The HTTP API of one server, called with one key."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.http_client import call, upload
from deploy.problems import ApiRefused, CommandFailed

Answer = dict[str, Any]


class Api:
    """Calls that return the parsed answer. Raises ApiRefused or Unreachable."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key

    async def get(self, path: str) -> Any:
        """Read a resource."""
        return await self._call("GET", path)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, if_match: str | None = None
    ) -> Answer:
        """Begin or create a resource; `if_match` is the revision that the call is about."""
        return _object(self.url, await self._call("POST", path, body, if_match))

    async def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Change a resource."""
        return _object(self.url, await self._call("PUT", path, body))

    async def delete(self, path: str) -> Answer:
        """Delete a resource."""
        return _object(self.url, await self._call("DELETE", path))

    async def upload(self, file: Path) -> Answer:
        """Store a file as an asset."""
        url = f"{self.url}/api/assets"
        return _object(self.url, _granted(await asyncio.to_thread(upload, url, file, self.key)))

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        if_match: str | None = None,
    ) -> Any:
        url = self.url + path
        reply = await asyncio.to_thread(
            call, method, url, key=self.key, body=body, if_match=if_match
        )
        return _granted(reply)


def _granted(reply: tuple[int, Any]) -> Any:
    status, answer = reply
    if status >= 300:
        raise ApiRefused(status, answer)
    return answer


def _object(url: str, answer: Any) -> Answer:
    if not isinstance(answer, dict):
        raise CommandFailed(f"{url} does not answer as Headrace does: is the address right?")
    return answer
