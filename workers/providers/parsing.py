"""JSON on its way to providers and back."""

from typing import Any

import msgspec

from engine.errors.nodes import NodeFailed
from engine.values.plain import fault
from workers.outbound.forms import Form
from workers.providers.errors import bad_response


async def pack(body: Any) -> tuple[str, bytes | None]:
    """The content type and the bytes, a form's or JSON's; neither without a body.

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
    """What came back, fit to flow along edges. Raises NodeFailed."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_response("is not JSON") from None
    reason = fault(value)
    if reason:
        raise bad_response(reason)
    return value


def parse_quietly(body: bytes) -> Any:
    """What came back, None where it is not JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
