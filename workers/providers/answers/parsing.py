"""Encoding of request bodies and decoding of JSON answers."""

from typing import Any

import msgspec

from engine.errors.nodes import NodeFailed
from engine.values.plain import fault
from workers.outbound.forms import Form
from workers.providers.answers.errors import bad_response


async def pack(body: Any) -> tuple[str, bytes | None]:
    """Return the content type and bytes of a form or of JSON; neither without a body.

    Raises NodeFailed.
    """
    if body is None:
        return "", None
    try:
        if isinstance(body, Form):
            return await body.pack()
        return "application/json", msgspec.json.encode(body)
    except UnicodeEncodeError:
        raise NodeFailed("invalid_value", "The values have an unpaired surrogate") from None


def parse(body: bytes) -> Any:
    """Decode JSON whose values are valid in a workflow. Raises NodeFailed."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_response("is not JSON") from None
    reason = fault(value)
    if reason:
        raise bad_response(reason)
    return value


def parse_quietly(body: bytes) -> Any:
    """Decode JSON; None for anything else."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
