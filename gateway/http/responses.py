"""JSON answers: encoding, and responses that go out piece by piece."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 65_536

encode_json = msgspec.json.Encoder(decimal_format="number").encode
"""The value as JSON, in one line."""


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, *, media_type: str = ""
) -> Response:
    """The value as JSON."""
    body = encode_json(value)
    kind = Response if len(body) <= PIECE_BYTES else LargeResponse
    return kind(body, status, headers, media_type=media_type or "application/json")


class LargeResponse(Response):
    """A body that goes out as it is read, so that it is with the peer when it was sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; who does not read holds it up."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        for piece in in_pieces(bytes(self.body)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def in_pieces(data: bytes) -> Iterator[bytes]:
    """The bytes, a piece at a time: what is written whole is in memory until it was read."""
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]
