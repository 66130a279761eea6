"""JSON Schema of that which has no type: parameters, errors, and results of workflows."""

from collections.abc import Iterable
from typing import Any

from gateway.http.types import Schema

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
ANYTHING: Schema = {}
ID: Schema = {"type": "string", "format": "uuid"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LIST: Schema = {"type": "array", "items": ANYTHING}
NULL: Schema = {"type": "null"}


def one_of(values: Iterable[str]) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": [str(value) for value in values]}


def matching(pattern: str) -> Schema:
    """A text that is all of what the pattern says."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


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
