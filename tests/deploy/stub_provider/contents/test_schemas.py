import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.stub_provider.contents.schemas import make_value
from deploy.stub_provider.errors import StubRefused

TEXT = "(stub) A text"
PROMPT = "a: 5; b: yes; ab: 2026-04-15\naa: -7.25; cc: x\nba: 12; ca: a rather long text, with more"


def bounded(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    low = st.integers(-1000, 1000)
    return st.builds(
        lambda start, span, inside: {
            "type": kind,
            ("exclusiveMinimum" if inside else "minimum"): start,
            ("exclusiveMaximum" if inside else "maximum"): start + span + 2,
        },
        low,
        st.integers(0, 50),
        st.booleans(),
    )


plain = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": ["string", "null"]}),
    st.just({}),
    st.builds(
        lambda least, span: {"type": "string", "minLength": least, "maxLength": least + span},
        st.integers(0, 40),
        st.integers(0, 5),
    ),
    bounded("integer"),
    bounded("number"),
    st.builds(lambda step: {"type": "integer", "multipleOf": step}, st.integers(1, 60)),
    st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=3), min_size=1)),
    st.builds(lambda value: {"const": value}, st.integers()),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(
            lambda properties, closed: {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": not closed,
            },
            st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=4),
            st.booleans(),
        ),
        st.builds(
            lambda items, least, span: {
                "type": "array",
                "items": items,
                "minItems": least,
                "maxItems": least + span,
            },
            inner,
            st.integers(0, 4),
            st.integers(0, 3),
        ),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
    )


@given(st.recursive(plain, nested, max_leaves=12))
def test_a_value_fits_the_schema_that_it_was_made_for(schema: dict[str, Any]) -> None:
    jsonschema_rs.validate(schema, make_value(schema, TEXT))
    jsonschema_rs.validate(schema, make_value(schema, TEXT, PROMPT))


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize(
    "bounds",
    [
        {"minimum": 7},
        {"maximum": -7},
        {"exclusiveMinimum": 7},
        {"exclusiveMaximum": -7},
        {"exclusiveMinimum": 0, "exclusiveMaximum": 2},
        {"minimum": 8, "multipleOf": 5},
        {"maximum": -8, "multipleOf": 5},
    ],
)
def test_a_number_keeps_its_bounds(kind: str, bounds: dict[str, int]) -> None:
    schema = {"type": kind, **bounds}

    jsonschema_rs.validate(schema, make_value(schema, TEXT))


@pytest.mark.parametrize("name", ["date", "date-time", "email", "uri", "uuid", "ipv4", "time"])
def test_a_format_is_kept(name: str) -> None:
    schema = {"type": "string", "format": name}

    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    assert validator.is_valid(make_value(schema, TEXT))


@pytest.mark.parametrize(
    "pattern", [r"^[a-z]+$", r"^#[0-9a-f]{6}$", r"^\d{4}-\d\d-\d\d$", r"^\d+$"]
)
def test_usual_patterns_are_kept(pattern: str) -> None:
    schema = {"type": "string", "pattern": pattern}

    jsonschema_rs.validate(schema, make_value(schema, TEXT))


def test_definitions_are_followed_and_parts_put_together() -> None:
    schema = {
        "$defs": {
            "named": {"properties": {"name": {"type": "string"}}, "required": ["name"]},
            "tree": {
                "type": "object",
                "properties": {
                    "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                    "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
                },
                "required": ["children", "next"],
            },
        },
        "allOf": [{"$ref": "#/$defs/named"}],
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/tree"}},
        "required": ["tree"],
    }

    made = make_value(schema, TEXT)

    jsonschema_rs.validate(schema, made)
    assert made["name"] == TEXT


def test_texts_of_a_list_differ() -> None:
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 3}

    assert make_value(schema, "(stub) x") == ["(stub) x 1", "(stub) x 2", "(stub) x 3"]


def properties(**schemas: Any) -> dict[str, Any]:
    return {"type": "object", "properties": schemas}


def test_properties_have_the_values_that_the_prompt_names() -> None:
    schema = properties(
        supplier={"type": "string"},
        invoiceNumber={"type": "string"},
        date={"type": "string", "format": "date"},
        total={"type": "number"},
        currency={"enum": ["EUR", "GBP"]},
        remark={"type": "string"},
    )
    prompt = (
        "Supplier: Mill Lane Paper\nInvoice number: 7-1; date: 2026-04-15\n"
        "Total: 1,190.50\ncurrency: gbp"
    )

    assert make_value(schema, TEXT, prompt) == {
        "supplier": "Mill Lane Paper",
        "invoiceNumber": "7-1",
        "date": "2026-04-15",
        "total": 1190.5,
        "currency": "GBP",
        "remark": TEXT,
    }


def test_a_whole_number_is_written_without_a_point() -> None:
    schema = properties(total={"type": "number"}, net={"type": "number"})

    made = make_value(schema, TEXT, "Total: 204.00\nNet: 170.50")

    assert json.dumps(made) == '{"total": 204, "net": 170.5}'


def test_a_list_of_objects_has_one_for_each_line_with_their_properties() -> None:
    item = properties(item={"type": "string"}, quantity={"type": "integer"})
    prompt = "Item: ink; quantity: 3\nItem: paper; quantity: 20\nTotal: 23"

    assert make_value({"type": "array", "items": item}, TEXT, prompt) == [
        {"item": "ink", "quantity": 3},
        {"item": "paper", "quantity": 20},
    ]


@pytest.mark.parametrize(
    ("prompt", "topic"),
    [
        ("I was billed twice", "billing"),
        ("The page crashes", "technical"),
        ("Please send my money back", "billing"),
        ("Hello", "other"),
    ],
)
def test_an_option_is_chosen_by_its_words_and_those_of_its_explanation(
    prompt: str, topic: str
) -> None:
    about = "billing: money, refunds; technical: crashes; other: anything else"
    schema = {"enum": ["other", "billing", "technical"], "description": about}

    assert make_value(schema, TEXT, prompt) == topic


@pytest.mark.parametrize(
    ("system", "count"),
    [("Answer with exactly three headlines of 5 words.", 3), ("4 ideas", 4), ("A list.", 2)],
)
def test_a_list_is_as_long_as_the_instructions_say(system: str, count: int) -> None:
    schema = {"type": "array", "items": {"type": "string"}}

    assert len(make_value(schema, TEXT, system=system)) == count
    assert len(make_value({**schema, "minItems": 5, "maxItems": 5}, TEXT, system=system)) == 5


def test_a_text_that_is_described_as_a_sentence_is_one() -> None:
    schema = {"type": "string", "description": "One sentence."}

    assert make_value(schema, "(stub) It broke. We are sorry.") == "(stub) It broke."


def test_texts_of_a_list_are_short() -> None:
    made = make_value({"type": "array", "items": {"type": "string"}}, "(stub) " + "word " * 80)

    assert all(len(each) < 70 for each in made)


@pytest.mark.parametrize(
    "schema",
    [
        7,
        {"type": "spirit"},
        {"$ref": "#/$defs/nowhere"},
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "^zebra$"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    ],
)
def test_what_cannot_be_made_is_refused(schema: Any) -> None:
    with pytest.raises(StubRefused):
        make_value(schema, TEXT)
