"""What a model is called with: the rules for inputs, and what more is asked of a call."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.errors import InvalidInputs
from engine.values.fields import TEXTS, Field, FieldType, check_inputs
from engine.values.json_schemas import read_schema

JSON_SCHEMA = "jsonSchema"
"""The field by which chats are told what the answer must look like."""


def is_blank(field: Field, value: Any) -> bool:
    """Whether it says nothing though something is asked for: a text of spaces at the most."""
    is_asked = field.required and field.type in TEXTS
    return is_asked and isinstance(value, str) and not value.strip()


def check_call(
    fields: Collection[Field],
    values: Mapping[str, Any],
    *,
    strict: bool = False,
    allow_http: bool = False,
    allow_assets: bool = False,
) -> dict[str, Any]:
    """As `check_inputs`, of the values for a model, where blank texts count as missing.

    A JSON Schema is given as an object, however it was written. Raises InvalidInputs.
    """
    blank = {each.name for each in fields if is_blank(each, values.get(each.name))}
    said = {name: value for name, value in values.items() if name not in blank}
    checked = check_inputs(
        fields, said, strict=strict, allow_http=allow_http, allow_assets=allow_assets
    )
    if any(each.name == JSON_SCHEMA and each.type is FieldType.JSON for each in fields):
        schema = _read_schema(checked.pop(JSON_SCHEMA, None))
        checked |= {} if schema is None else {JSON_SCHEMA: schema}
    return checked


def _read_schema(value: Any) -> dict[str, Any] | None:
    try:
        return read_schema(value)
    except ValueError as error:
        raise InvalidInputs(JSON_SCHEMA, str(error)) from None
