"""Transport whose every failure is an answer of the protocol.

The library's client ends with the first connection that fails, and keeps nothing of an answer with
an error of HTTP but its status. A bridge outlives restarts of gateways, and tells the reason.
"""

import json
from typing import Any

import httpx2
from mcp_types.jsonrpc import INTERNAL_ERROR, INVALID_REQUEST

CONNECT_TRIES = 5
"""Further tries to connect, over 8 s: a gateway that restarts is back by then."""
UNREACHABLE = 502
EVENT_STREAM = "text/event-stream"


class AnsweringTransport(httpx2.AsyncBaseTransport):
    """Sends requests by another transport, and answers those that fail."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer of the server, or the reason why there is none."""
        try:
            response = await self._inner.handle_async_request(request)
            if response.headers.get("content-type", "").startswith(EVENT_STREAM):
                return response
            return await _read_whole(response)
        except httpx2.RequestError as error:
            place = f"{request.url.scheme}://{request.url.netloc.decode()}"
            return _refusal(UNREACHABLE, f"{place} does not answer ({type(error).__name__}).")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


async def _read_whole(response: httpx2.Response) -> httpx2.Response:
    try:
        body = await response.aread()
    finally:
        await response.aclose()
    if response.status_code >= 400 and not _is_of_protocol(body):
        return _refusal(response.status_code, _sentence(response.status_code, body))
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    return httpx2.Response(response.status_code, headers=headers, content=body)


def _refusal(status: int, sentence: str) -> httpx2.Response:
    code = INVALID_REQUEST if status < 500 else INTERNAL_ERROR
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": sentence}}
    return httpx2.Response(status, json=body)


def _is_of_protocol(body: bytes) -> bool:
    answer = _parsed(body)
    return isinstance(answer, dict) and answer.get("jsonrpc") == "2.0"


def _sentence(status: int, body: bytes) -> str:
    answer = _parsed(body)
    if not isinstance(answer, dict) or "error" not in answer:
        return f"The server answered {status}."
    code = answer.get("code")
    return f"{code}: {answer['error']}" if code else str(answer["error"])


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
