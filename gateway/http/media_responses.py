"""Answers with media: whole or one range, with headers that keep browsers from executing them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse

from engine.media.documents import types as documents
from engine.media.formats import KNOWN, TYPES, UNTYPED, extension_of
from engine.media.ranges import ByteRange, UnsatisfiableRange, parse_range
from gateway.services import GatewayRequest

CACHED_SECONDS = 86_400
UTF_8 = "; charset=utf-8"
SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "accept-ranges": "bytes",
}

Open = Callable[[ByteRange | None], Awaitable[AsyncIterator[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaBody:
    """A medium to send, and access to its bytes."""

    name: str
    content_type: str
    size: int
    expires: int
    """The second, since 1970, at which its link expires."""
    open: Open


async def send_medium(request: GatewayRequest, medium: MediaBody) -> Response:
    """Return the answer to a request for a medium. Raises AssetNotFound."""
    headers = _headers(medium)
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    try:
        part = _requested_range(request, medium, headers["etag"])
    except UnsatisfiableRange:
        return Response(
            status_code=416, headers={**SAFE, "content-range": f"bytes */{medium.size}"}
        )
    start, end = (part.start, part.end) if part else (0, medium.size)
    headers |= {"content-type": _type(medium), "content-length": str(end - start)}
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{medium.size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await medium.open(part), status, headers)


def _requested_range(request: GatewayRequest, medium: MediaBody, etag: str) -> ByteRange | None:
    ranges = request.headers.getlist("range")
    if request.method != "GET" or len(ranges) != 1:
        return None
    if request.headers.get("if-range", etag) != etag:
        return None
    return parse_range(ranges[0], medium.size)


def _type(medium: MediaBody) -> str:
    """Return the type that the medium is sent as: a page is a text, which no browser executes."""
    kind = medium.content_type
    if kind == documents.HTML:
        return documents.PLAIN + UTF_8
    if kind in documents.TEXTS:
        return kind if kind == documents.JSON else kind + UTF_8
    return kind if kind in KNOWN else UNTYPED


def _headers(medium: MediaBody) -> dict[str, str]:
    kind = medium.content_type if medium.content_type in KNOWN else UNTYPED
    disposition = "inline" if kind in TYPES else "attachment"
    seconds = max(0, min(CACHED_SECONDS, medium.expires - int(time.time())))
    return {
        **SAFE,
        "content-disposition": f'{disposition}; filename="{medium.name}.{extension_of(kind)}"',
        "cache-control": f"private, max-age={seconds}, immutable",
        "etag": f'"{medium.name}"',
    }
