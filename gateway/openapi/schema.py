"""JSON Schema without types: parameters, errors, and results of workflows."""

from collections.abc import Sequence
from typing import Any

from gateway.http.types import Schema

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
ANYTHING: Schema = {}
ID: Schema = {"type": "string", "format": "uuid"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LIST: Schema = {"type": "array", "items": ANYTHING}
NULL: Schema = {"type": "null"}


def matching(pattern: str) -> Schema:
    """Return the schema of a text that matches the whole pattern."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def ref(name: str) -> Schema:
    """Return a reference to the component of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def either(schemas: Sequence[Schema]) -> Schema:
    """Return the schema of a value that matches exactly one of the schemas."""
    return schemas[0] if len(schemas) == 1 else {"oneOf": schemas}


def members(optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """Return the schema of an object with these members."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required)}


def described(schema: Schema, words: str, example: Any = None) -> Schema:
    """Return the schema with a description and an example."""
    shown = {} if example is None else {"examples": [example]}
    return {**schema, "description": words, **shown}
