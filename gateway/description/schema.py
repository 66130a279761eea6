"""JSON Schema in few words."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
INTEGER_OR_NULL: Schema = {"type": ["integer", "null"]}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
ANYTHING: Schema = {}
MOMENT: Schema = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Schema = {"type": ["string", "null"], "format": "date-time"}
TEXTS: Schema = {"type": "array", "items": TEXT}


def one_of(*values: str) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": list(values)}


def list_of(items: Schema) -> Schema:
    """A list whose items have this shape."""
    return {"type": "array", "items": items}


def ref(name: str) -> Schema:
    """The component of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def members(optional: dict[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with these members."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required)}
