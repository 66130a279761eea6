"""The HTTP API of one server, called with one key or for one account."""

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.client.assets.content_types import content_type_of
from deploy.client.servers import ApiRequest, Server
from deploy.net.http_client import Unreachable, read_json
from deploy.output.problems import ApiRefused, CommandFailed
from engine.net.server_sent_events import ServerSentEventParser

Answer = dict[str, Any]
MAX_EVENT_BYTES = 268_435_456
"""The gateway belongs to the caller; the limit only bounds an endless event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event, in the names of the API."""

    id: str
    name: str
    data: dict[str, Any]


class Api:
    """Calls that return the parsed answer. Raises ApiRefused or Unreachable."""

    def __init__(self, server: Server, key: str | None) -> None:
        self._server = server
        self._key = key

    async def get(self, path: str) -> Any:
        """Read a resource."""
        return await self._call("GET", path)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, if_match: str | None = None
    ) -> Answer:
        """Begin or create a resource; `if_match` is the revision that the call is about."""
        headers = {} if if_match is None else {"if-match": if_match}
        return self._object(await self._call("POST", path, body, headers))

    async def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Change a resource."""
        return self._object(await self._call("PUT", path, body))

    async def patch(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Change members of a resource."""
        return self._object(await self._call("PATCH", path, body))

    async def delete(self, path: str) -> Answer:
        """Delete a resource."""
        return self._object(await self._call("DELETE", path))

    async def upload(self, file: Path) -> Answer:
        """Store a file as an asset, with the type that follows from its name."""
        headers = {"content-type": content_type_of(file.name)}
        request = self._request("POST", "/api/assets", headers, file)
        try:
            return self._object(await self._answer(request))
        except ApiRefused as refusal:
            raise ApiRefused(refusal.status, refusal.answer, file.name) from refusal

    def download(self, path: str) -> AsyncGenerator[bytes, None]:
        """Yield the bytes that a link leads to."""
        return self._server.stream(self._request("GET", path, {"accept": "*/*"}))

    async def events(
        self, path: str, *, after: str = "", body: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield the events after one of them until the stream ends; a body begins an execution."""
        headers = {"accept": "text/event-stream"} | ({"last-event-id": after} if after else {})
        request = self._json_request("GET" if body is None else "POST", path, body, headers)
        parser = ServerSentEventParser(MAX_EVENT_BYTES)
        async with contextlib.aclosing(self._server.stream(request)) as pieces:
            async for piece in pieces:
                for event in _parse(parser, piece):
                    yield event

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return await self._answer(self._json_request(method, path, body, headers or {}))

    async def _answer(self, request: ApiRequest) -> Any:
        status, raw = await self._server.answer(request)
        answer = read_json(raw)
        if status >= 300:
            raise ApiRefused(status, answer)
        return answer

    def _json_request(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> ApiRequest:
        if body is None:
            return self._request(method, path, headers)
        sent = json.dumps(body).encode()
        return self._request(method, path, {**headers, "content-type": "application/json"}, sent)

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Path | None = None,
    ) -> ApiRequest:
        key = {} if self._key is None else {"x-api-key": self._key}
        headers = {"accept": "application/json", **key, **headers}
        return ApiRequest(method=method, path=path, headers=headers, body=body)

    def _object(self, answer: Any) -> Answer:
        if not isinstance(answer, dict):
            url = self._server.url
            raise CommandFailed(f"{url} does not answer as Headrace does: is the address right?")
        return answer


def _parse(parser: ServerSentEventParser, piece: bytes) -> Sequence[StreamEvent]:
    try:
        return [
            StreamEvent(id=event.id, name=event.type, data=json.loads(event.data))
            for event in parser.feed(piece)
        ]
    except ValueError as error:
        raise Unreachable(f"The events have ended ({type(error).__name__}).") from error
