"""JSON Schemas made strict, so that undeclared members are found."""

from typing import Any


def closed(schema: Any) -> Any:
    """Return the schema with `additionalProperties: false` for objects with listed members."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: each if name == "oneOf" else closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and "oneOf" not in schema:
        found.setdefault("additionalProperties", False)
    return found
