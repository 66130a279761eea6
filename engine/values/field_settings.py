"""JSON Schema of the `fields` of a Request Input, and a sketch of invalid ones."""

from typing import Any

from engine.values.fields import (
    MAX_FIELDS,
    MAX_OPTIONS,
    MAX_TEXT,
    NAME_PATTERN,
    Field,
    FieldType,
    is_name,
)

NAME_SCHEMA: dict[str, Any] = {"type": "string", "pattern": f"^{NAME_PATTERN.pattern}$"}
SHORT_TEXT: dict[str, Any] = {"type": ["string", "null"], "maxLength": MAX_TEXT}
NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}
FIELDS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "maxItems": MAX_FIELDS,
    "items": {
        "type": "object",
        "properties": {
            "name": NAME_SCHEMA,
            "label": SHORT_TEXT,
            "type": {"enum": [kind.value for kind in FieldType]},
            "required": {"type": "boolean", "default": False},
            "default": {},
            "options": {
                "type": ["array", "null"],
                "maxItems": MAX_OPTIONS,
                "items": {"type": ["string", "number"], "maxLength": MAX_TEXT},
            },
            "min": NUMBER_OR_NULL,
            "max": NUMBER_OR_NULL,
            "step": NUMBER_OR_NULL,
            "maxLength": {"type": ["integer", "null"], "minimum": 1},
            "helperText": SHORT_TEXT,
        },
        "required": ["name", "type"],
    },
}
"""JSON Schema of the `fields` of a Request Input; `parse_fields` checks more rules."""


def sketch_fields(raw: object) -> tuple[Field, ...]:
    """Return the fields with valid names and types, without their other members."""
    if not isinstance(raw, list):
        return ()
    items = [item for item in raw[:MAX_FIELDS] if isinstance(item, dict)]
    found = {
        item["name"]: Field(name=item["name"], label=item["name"], type=FieldType(item["type"]))
        for item in items
        if is_name(item.get("name")) and item.get("type") in list(FieldType)
    }
    return tuple(found.values())
