"""JSON Schemas that authors write: checked when they are saved, and answers by them."""

import contextlib
from typing import Any

import jsonschema_rs
import msgspec

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.values.model_text import NotJson, find_json

MAX_BYTES = 32_768
MAX_WORDS = 300


def read_schema(raw: Any) -> dict[str, Any] | None:
    """The schema, which may also be written as a text; None for null and for an empty text.

    Raises ValueError, with the end of a sentence.
    """
    if raw is None or raw == "":
        return None
    schema = raw
    if isinstance(raw, str):
        with contextlib.suppress(NotJson):
            schema = find_json(raw)
    fault = schema_fault(schema)
    if fault is not None:
        raise ValueError(fault)
    return dict(schema)


def schema_fault(schema: Any) -> str | None:
    """What is wrong with a schema, as the end of a sentence; None: nothing.

    It may refer to itself only: nothing is fetched.
    """
    if not isinstance(schema, dict):
        return "must be an object with a JSON Schema"
    size = len(msgspec.json.encode(schema))
    if size > MAX_BYTES:
        return f"has {size} bytes as JSON; at most {MAX_BYTES} are allowed"
    try:
        jsonschema_rs.validator_for(schema, offline=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        return f"is not a JSON Schema: {_shorten(error)}"
    return None


def read_answer(schema: dict[str, Any], text: str) -> Any:
    """The JSON that a model wrote, fit for the schema; for a child process.

    Raises NodeFailed (PROVIDER_BAD_RESPONSE): another answer may fit.
    """
    try:
        value = find_json(text)
    except NotJson:
        raise NodeFailed(BAD_RESPONSE, "The model's answer is not JSON", retryable=True) from None
    try:
        jsonschema_rs.validator_for(schema, offline=True).validate(value)
    except jsonschema_rs.ValidationError as error:
        place = "".join(f"[{step!r}]" for step in error.instance_path)
        message = f"The model's answer does not fit its JSON Schema: {place} {_shorten(error)}"
        raise NodeFailed(BAD_RESPONSE, " ".join(message.split()), retryable=True) from None
    return value


def _shorten(error: Exception) -> str:
    words = " ".join(str(getattr(error, "message", error)).split())
    return words if len(words) <= MAX_WORDS else f"{words[: MAX_WORDS - 1]}…"
