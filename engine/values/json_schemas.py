"""JSON Schemas of authors: their check at save, and validation of answers.

The library is imported when first used: it takes 25 ms and 4 MB of each process.
"""

import contextlib
from typing import Any

import msgspec

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.values.model_text import NotJson, find_json

DRAFT = "https://json-schema.org/draft/2020-12/schema"
"""Version of JSON Schema that schemas declare."""
MAX_BYTES = 32_768
MAX_MESSAGE = 300


def read_schema(raw: Any) -> dict[str, Any] | None:
    """Parse a schema, an object or its text; return None for null and an empty text.

    Raises ValueError with the end of a sentence.
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
    """Return the fault of a schema as the end of a sentence, or None.

    References to other documents are faults, because nothing is fetched.
    """
    import jsonschema_rs

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
    """Return the JSON of a model's answer, validated by the schema. Run in a child process.

    Raises a retryable NodeFailed (PROVIDER_BAD_RESPONSE).
    """
    import jsonschema_rs

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
    message = " ".join(str(getattr(error, "message", error)).split())
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"
