"""Check of the values of a model call, beyond the check of inputs."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from engine.errors import InvalidInputs
from engine.values.fields import TEXTS, Field, FieldType, check_inputs
from engine.values.json_schemas import read_schema

JSON_SCHEMA = "jsonSchema"
"""Field with the JSON Schema of a chat's answer."""
MAX_FILES = 20
"""Most files of one call, at one field."""


def is_blank(field: Field, value: Any) -> bool:
    """Return True for a blank text in a required field, and for an empty list of files."""
    if field.type is FieldType.FILE:
        return isinstance(value, list) and not value
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

    A field of the type `file` takes a list of files as well. A JSON Schema in a text is returned
    as an object. Raises InvalidInputs.
    """
    blank = {each.name for each in fields if is_blank(each, values.get(each.name))}
    present = {name: value for name, value in values.items() if name not in blank}
    listed = {each: present[each.name] for each in fields if is_list_of_files(each, present)}
    firsts = {field.name: files[0] for field, files in listed.items()}
    check = partial(check_inputs, allow_http=allow_http, allow_assets=allow_assets)
    checked = check(fields, present | firsts, strict=strict)
    for field, files in listed.items():
        _check_count(field, files)
        checked[field.name] = [
            check([field], {field.name: each}, strict=False)[field.name] for each in files
        ]
    if any(each.name == JSON_SCHEMA and each.type is FieldType.JSON for each in fields):
        schema = _read_schema(checked.pop(JSON_SCHEMA, None))
        checked |= {} if schema is None else {JSON_SCHEMA: schema}
    return checked


def is_list_of_files(field: Field, values: Mapping[str, Any]) -> bool:
    """Return whether the value of a field is a list of files."""
    return field.type is FieldType.FILE and isinstance(values.get(field.name), list)


def _check_count(field: Field, files: Sequence[Any]) -> None:
    if len(files) > MAX_FILES:
        raise InvalidInputs(field.name, f"takes at most {MAX_FILES} files, not {len(files)}")


def _read_schema(value: Any) -> dict[str, Any] | None:
    try:
        return read_schema(value)
    except ValueError as error:
        raise InvalidInputs(JSON_SCHEMA, str(error)) from None
