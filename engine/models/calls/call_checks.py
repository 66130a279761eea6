"""Check of the values of a model call, beyond the check of inputs."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.errors import InvalidInputs
from engine.values.fields import TEXTS, Field, FieldType, check_inputs
from engine.values.json_schemas import read_schema

JSON_SCHEMA = "jsonSchema"
"""Field with the JSON Schema of a chat's answer."""


def is_blank(field: Field, value: Any) -> bool:
    """Return True for a blank text in a required field."""
    is_required_text = field.required and field.type in TEXTS
    return is_required_text and isinstance(value, str) and not value.strip()


def check_call(
    fields: Collection[Field],
    values: Mapping[str, Any],
    *,
    strict: bool = False,
    allow_http: bool = False,
    allow_assets: bool = False,
) -> dict[str, Any]:
    """Like `check_inputs`, but blank texts of required fields count as missing.

    A JSON Schema in a text is returned as an object. Raises InvalidInputs.
    """
    blank = {each.name for each in fields if is_blank(each, values.get(each.name))}
    present = {name: value for name, value in values.items() if name not in blank}
    checked = check_inputs(
        fields, present, strict=strict, allow_http=allow_http, allow_assets=allow_assets
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
