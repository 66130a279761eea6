"""JSON answers: encoding, and bodies sent piece by piece."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.values.plain import moment
from gateway.http.types import Instant, View

PIECE_BYTES = 65_536


def _encode_instant(value: Any) -> str | None:
    if isinstance(value, Instant):
        return moment(value)
    raise NotImplementedError


encode_json = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_instant).encode
"""Encode a value as JSON, in one line."""


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, *, media_type: str = ""
) -> Response:
    """Return a JSON answer."""
    body = encode_json(value)
    kind = Response if len(body) <= PIECE_BYTES else LargeResponse
    return kind(body, status, headers, media_type=media_type or "application/json")


class Deleted(View):
    """The answer to a deletion."""

    success: Literal[True]


DELETED = Deleted(success=True)
Deleted.examples = (DELETED,)


class LargeResponse(Response):
    """A body sent piece by piece, so that sending lasts until the peer has read it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; a peer that does not read blocks the call."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        for piece in in_pieces(bytes(self.body)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def in_pieces(data: bytes) -> Iterator[bytes]:
    """Yield the bytes in pieces: a body written whole stays in memory until it is read."""
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


class PendingResponse(Protocol):
    """A response that takes a while, finished after its handler has returned.

    Whatever a handler has in its frames is then not in memory during the wait.
    """

    async def finish(self) -> Response:
        """Return the response itself. Raises EngineError."""
        ...

    def discard(self) -> None:
        """Give up the response; that of a finished one may be repeated."""
        ...


Answer = Response | PendingResponse
