"""JSON Schema of the inputs of a workflow, from its fields."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.media.ids import PATTERN as ASSET_ID
from engine.net.url_policy import URL_REST
from engine.values.fields import (
    MAX_URL,
    NUMBERS,
    SOCKETS,
    TEXTS,
    Field,
    FieldType,
    is_on_step,
    to_decimal,
    url_scheme,
)
from engine.values.json_schemas import DRAFT

MAX_STEPS_LISTED = 1_000
FILE_KINDS = "A PDF, DOCX, XLSX, PPTX, CSV, TSV, TXT, MD, HTML or JSON file"


def inputs_schema(
    fields: Iterable[Field], *, strict: bool, allow_http: bool = False, allow_assets: bool = False
) -> dict[str, Any]:
    """Return the JSON Schema 2020-12 of the object `inputs`, with the same rules.

    `allow_assets`: a medium may be given as an asset's id.
    """
    media = _media_schema(allow_http=allow_http, allow_assets=allow_assets)
    fields = tuple(fields)
    return {
        "$schema": DRAFT,
        "type": "object",
        "properties": {field.name: _field_schema(field, media) for field in fields},
        "required": [f.name for f in fields if f.required and f.default is None],
        "additionalProperties": not strict,
    }


def _field_schema(field: Field, media: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": field.label} | _type_schema(field, media)
    if field.options:
        schema["enum"] = list(field.options)
    if field.helper_text:
        schema["description"] = field.helper_text
    if field.default is not None:
        schema["default"] = field.default
    return schema


def _type_schema(field: Field, media: dict[str, Any]) -> dict[str, Any]:
    if field.type in NUMBERS:
        return _number_schema(field)
    if field.type in TEXTS:
        limit = {} if field.max_length is None else {"maxLength": field.max_length}
        return {"type": "string"} | limit
    if field.type is FieldType.TOGGLE:
        return {"type": "boolean"}
    if field.type in SOCKETS:
        kinds = {"description": FILE_KINDS} if field.type is FieldType.FILE else {}
        return {**media, **kinds}
    return {}


def _media_schema(*, allow_http: bool, allow_assets: bool) -> dict[str, Any]:
    """Return the schema of a medium: a URL, or the id of an asset."""
    url = {"format": "uri", "pattern": f"^{url_scheme(allow_http)}{URL_REST}$"}
    text = {"type": "string", "maxLength": MAX_URL}
    if not allow_assets:
        return {**text, **url}
    asset = {"title": "Id of an asset", "pattern": f"^{ASSET_ID}$"}
    return {**text, "anyOf": [{"title": "URL", **url}, asset]}


def _number_schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "number"}
    if field.min is not None:
        schema["minimum"] = field.min
    if field.max is not None:
        schema["maximum"] = field.max
    if field.step is not None:
        schema |= _step_schema(field, field.step)
    return schema


def _step_schema(field: Field, step: int | float) -> dict[str, Any]:
    """`multipleOf` counts from 0; steps that count from elsewhere are listed while they are few."""
    start = field.min or 0
    if is_on_step(start, step, 0):
        return {"multipleOf": step}
    if field.max is None or (field.max - start) / step > MAX_STEPS_LISTED:
        return {}
    first, width = to_decimal(start), to_decimal(step)
    count = int((to_decimal(field.max) - first) / width) + 1
    return {"enum": [_plain(first + width * index) for index in range(count)]}


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)
