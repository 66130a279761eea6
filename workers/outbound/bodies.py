"""Bodies of answers: read whole, cut off, or passed on piece by piece, always within a cap."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from msgspec import structs

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.outbound.answer_parser import StreamReader
from workers.outbound.exchange import Response
from workers.outbound.inflating import BrokenEncoding, InflatedTooLarge, inflate

LARGE_BODY = 65_536
"""Bytes from which on a body must not block the event loop."""
MAX_INFLATED_BYTES = 10_485_760
"""Of a compressed body that is taken in pieces: it is inflated whole."""
REST_SECONDS = 0.1
REST_BYTES = 65_536


async def read_answer(response: Response, call: HttpCall) -> HttpAnswer:
    """Read the answer with its body as the call asks for it. Raises NodeFailed."""
    headers = _plain_headers(response)
    if call.consume is not None:
        answer = HttpAnswer(status=response.status, headers=headers, body=b"")
        is_plain = _encoding(response) in ("", "identity")
        source = _pieces(response, call) if is_plain else _inflated_piece(response, call)
        async with contextlib.aclosing(source) as pieces:
            await call.consume(answer, pieces)
        await _read_rest(response)
        return answer
    body = await (_read_beginning if call.is_cut else _read_whole)(response, call)
    return HttpAnswer(status=response.status, headers=headers, body=body)


async def _read_whole(response: Response, call: HttpCall) -> bytes:
    body = _read_small(response, call)
    if body is None:
        body = await _gather(response, call)
    if "Content-Encoding" not in response.headers:
        return body
    body = await _decode(response, body, call.max_bytes)
    if len(body) >= LARGE_BODY and call.reserve:
        await call.reserve(len(body))
    return body


def _read_small(response: Response, call: HttpCall) -> bytes | None:
    """Return a small body that has come together with its head, else None."""
    content = response.content
    if not content.is_eof() or content.total_bytes > min(call.max_bytes, LARGE_BODY):
        return None
    return content.read_nowait()


async def _gather(response: Response, call: HttpCall) -> bytes:
    chunks, unreserved = [], 0
    async for chunk in _pieces(response, call):
        chunks.append(chunk)
        unreserved += len(chunk)
        if unreserved >= LARGE_BODY and call.reserve is not None:
            await call.reserve(unreserved)
            unreserved = 0
    return b"".join(chunks)


async def _inflated_piece(response: Response, call: HttpCall) -> AsyncGenerator[bytes]:
    """Yield an unexpectedly compressed body in one piece."""
    bound = min(call.max_bytes, MAX_INFLATED_BYTES)
    yield await _read_whole(response, structs.replace(call, max_bytes=bound))


async def _pieces(response: Response, call: HttpCall) -> AsyncGenerator[bytes]:
    """Yield the body as it comes, to its announced end."""
    if (response.content_length or 0) > call.max_bytes and response.method != "HEAD":
        raise _too_large(call.max_bytes)
    size = 0
    while chunk := await _next(response.content, call.idle_seconds):
        size += len(chunk)
        if size > call.max_bytes:
            raise _too_large(call.max_bytes)
        yield chunk
    error = response.content.exception()
    if error:
        raise error


async def _next(content: StreamReader, seconds: float | None) -> bytes:
    """Return the next bytes, empty at the end."""
    if seconds is None:
        return await content.readany()
    bound = asyncio.timeout(seconds)
    try:
        async with bound:
            return await content.readany()
    except TimeoutError:
        if not bound.expired():
            raise
        message = f"Nothing more came for {seconds:g} s"
        raise NodeFailed("timeout", message, retryable=True) from None


async def _read_rest(response: Response) -> None:
    """Read a small unneeded rest within a short time, so that the connection can be used again."""
    size = 0
    with contextlib.suppress(OSError):
        async with asyncio.timeout(REST_SECONDS):
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > REST_BYTES:
                    break


async def _read_beginning(response: Response, call: HttpCall) -> bytes:
    """Read the first bytes of a body; with more to come, the connection is closed."""
    if "Content-Encoding" in response.headers:
        return b""
    head = b""
    async for chunk in response.content.iter_any():
        head += chunk
        if len(head) >= call.max_bytes:
            break
    return head[: call.max_bytes]


async def _decode(response: Response, body: bytes, max_bytes: int) -> bytes:
    """Inflate a body that a server compressed although it was not asked to, within the same cap."""
    encoding = _encoding(response)
    if encoding in ("", "identity") or not body:
        return body
    try:
        if len(body) < LARGE_BODY:
            return inflate(body, encoding, max_bytes)
        return await asyncio.to_thread(inflate, body, encoding, max_bytes)
    except InflatedTooLarge:
        raise _too_large(max_bytes) from None
    except BrokenEncoding as error:
        raise NodeFailed("bad_response", f"The answer's body {error}") from None


def _encoding(response: Response) -> str:
    return ",".join(response.headers.getall("Content-Encoding", ())).strip().lower()


def _plain_headers(response: Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        name = name.lower()
        if not value.isascii():
            value = value.encode(errors="surrogateescape").decode(errors="replace")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _too_large(max_bytes: int) -> NodeFailed:
    return NodeFailed("response_too_large", f"The answer is larger than {max_bytes} bytes")
