from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import InvalidInputs
from engine.media.ids import make_asset_id
from engine.values.fields import check_inputs, parse_fields
from engine.values.input_schemas import FILE_KINDS, inputs_schema
from tests.engine.values.test_fields import ANY_VALUE, field, raw_fields

ASSET_IDS = st.sampled_from([make_asset_id("a"), "x" * 24, "x" * 23, "x" * 25, f"{'x' * 24}\n"])


@given(
    raw=raw_fields(),
    value=ANY_VALUE | ASSET_IDS,
    given_=st.booleans(),
    strict=st.booleans(),
    allow_assets=st.booleans(),
)
def test_the_schema_accepts_exactly_what_the_check_accepts(
    raw: dict[str, Any], value: Any, given_: bool, strict: bool, allow_assets: bool
) -> None:
    fields = parse_fields([raw])
    schema = inputs_schema(fields, strict=strict, allow_assets=allow_assets)
    steps = schema["properties"]["x"]
    assume("step" not in raw or "multipleOf" in steps or "enum" in steps)
    inputs = {"x": value} if given_ else {"other": value}

    try:
        check_inputs(fields, inputs, strict=strict, allow_assets=allow_assets)
        accepted = True
    except InvalidInputs:
        accepted = False

    assert jsonschema_rs.is_valid(schema, inputs, validate_formats=False) == accepted


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"step": 5}, {"multipleOf": 5}),
        ({"min": 10, "max": 20, "step": 5}, {"multipleOf": 5}),
        ({"min": 1, "max": 6, "step": 2}, {"enum": [1, 3, 5]}),
        ({"min": 0.1, "max": 1, "step": 0.25}, {"enum": [0.1, 0.35, 0.6, 0.85]}),
        ({"min": 1, "step": 2}, {}),
        ({"min": 1, "max": 10_000, "step": 2}, {}),
    ],
)
def test_steps_are_a_multiple_or_a_list_while_it_is_short(
    raw: dict[str, Any], expected: dict[str, Any]
) -> None:
    schema = inputs_schema([field(type="number", **raw)], strict=False)["properties"]["x"]

    assert {key: schema[key] for key in ("multipleOf", "enum") if key in schema} == expected


def test_a_document_is_described_with_what_is_taken_unless_its_author_says_more() -> None:
    bare, told = field(type="file"), field(type="file", helperText="The bill")

    described = [
        inputs_schema([each], strict=True)["properties"]["x"]["description"]
        for each in (bare, told)
    ]

    assert described == [FILE_KINDS, "The bill"]


def test_the_schema_says_what_people_read() -> None:
    slider = field(type="slider", label="Size", helperText="Even", default=2, min=0, max=4)

    assert inputs_schema([slider], strict=True) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "x": {
                "title": "Size",
                "type": "number",
                "minimum": 0,
                "maximum": 4,
                "description": "Even",
                "default": 2,
            }
        },
        "required": [],
        "additionalProperties": False,
    }
