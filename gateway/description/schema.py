"""JSON Schema in few words."""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
INTEGER_OR_NULL: Schema = {"type": ["integer", "null"]}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object", "additionalProperties": True}
"""Any object: without a word about its members, generators make one that has none."""
ANYTHING: Schema = {}
ID: Schema = {"type": "string", "format": "uuid"}
ID_OR_NULL: Schema = {"type": ["string", "null"], "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LIST: Schema = {"type": "array", "items": ANYTHING}
NULL: Schema = {"type": "null"}


def one_of(values: Iterable[str]) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": [str(value) for value in values]}


def text_of(shortest: int, longest: int) -> Schema:
    """A text with so many characters."""
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def matching(pattern: str) -> Schema:
    """A text that is all of what the pattern says."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def list_of(items: Schema, longest: int | None = None) -> Schema:
    """A list whose items have this shape."""
    limit = {} if longest is None else {"maxItems": longest}
    return {"type": "array", "items": items, **limit}


def ref(name: str) -> Schema:
    """The component of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def members(optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with these members."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required)}


def described(schema: Schema, words: str, example: Any = None) -> Schema:
    """The same with words for people, and a value to show."""
    shown = {} if example is None else {"examples": [example]}
    return {**schema, "description": words, **shown}
