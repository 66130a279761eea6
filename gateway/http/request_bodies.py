"""JSON bodies of requests: reading, and the memory reserved for large ones."""

import re
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from engine.errors import InvalidBody
from gateway.admission.credentials import header_values
from gateway.http.json_bodies import LARGE_BYTES, decode_object
from gateway.http.types import RequestBody
from gateway.services import GatewayRequest

CONTENT_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)
JSON = "application/json"

Body = TypeVar("Body", bound=RequestBody)


async def read_object(request: GatewayRequest) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises InvalidBody, BodyTooLarge, Unavailable or ClientDisconnect.
    """
    return await decode_object(await read_json(request))


async def read_body(request: GatewayRequest, kind: type[Body]) -> Body:
    """Return the body decoded as this type.

    Raises InvalidBody, BodyTooLarge, Unavailable or ClientDisconnect.
    """
    return kind.parse(await read_object(request))


async def read_optional_body(request: GatewayRequest, kind: type[Body]) -> Body:
    """As `read_body`; a request without a body stands for an empty object."""
    if "content-type" not in request.headers and announced_bytes(request.scope, 1) == 0:
        return kind.parse({})
    return await read_body(request, kind)


async def read_json(request: GatewayRequest, max_bytes: int | None = None) -> bytes:
    """Return the bytes of a body that is declared as JSON.

    `max_bytes` is the limit of the path's bodies where it is another than that of the settings.
    Raises InvalidBody, BodyTooLarge, Unavailable or ClientDisconnect.
    """
    _check_content_type(request.scope)
    return await read_bytes(request, max_bytes)


async def read_bytes(request: GatewayRequest, max_bytes: int | None = None) -> bytes:
    """Return the bytes of a body of any type, for whose limit see `read_json`.

    Raises BodyTooLarge, Unavailable or ClientDisconnect.
    """
    scope, context = request.scope, request.context
    if context.body is None:  # a request may be handled twice
        services = request.services
        size = announced_bytes(scope, max_bytes or services.settings.max_body_bytes)
        if size >= LARGE_BYTES:
            await services.body_memory.reserve(context, size)
        context.body = await _read_body(request.receive)
    return context.body


def forget_body(request: GatewayRequest) -> None:
    """Drop the body and its reserved memory, although the request may still wait."""
    request.context.body = None
    request.services.body_memory.release(request.context)


def announced_bytes(scope: Scope, most: int) -> int:
    """Return the length of the body in the head, or `most` when the head has none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return most  # the body is chunked


def _check_content_type(scope: Scope) -> None:
    types = header_values(scope, b"content-type")
    if types == [JSON]:
        return
    if len(types) != 1 or CONTENT_TYPE.fullmatch(types[0].strip()) is None:
        raise InvalidBody("The body must be sent as application/json")


async def _read_body(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces) if len(pieces) > 1 else pieces[0]
