"""Types as JSON Schema."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from msgspec import UNSET, Meta, UnsetType

from gateway.http.types import OBJECT, Content, Moment, Nested, RequestBody, View, described_as, doc
from gateway.openapi.components import components_of, examples_of, schema_of, schema_of_component


class Colour(StrEnum):
    """An enum for this test."""

    RED = "red"
    BLUE = "blue"


class Wheel(View):
    """A component within others."""

    size: int


class Bell(Nested):
    """An object that is described in place."""

    tone: str


class Bicycle(View, kw_only=True):
    """A component with others in it."""

    front_wheel: Wheel
    bell: Bell
    note: Annotated[str, doc("For people.")] | UnsetType = UNSET
    is_sold: Literal[True]


class ByName(RequestBody):
    """A search by name."""

    name: str


class ByNumber(RequestBody):
    """A search by number."""

    number: int
    name: None = None


class Search(RequestBody):
    """A request with two alternatives."""

    choices = (ByName, ByNumber)

    limit: int
    name: Any = None
    number: Any = None


WHEEL = {"$ref": "#/components/schemas/Wheel"}
TONE = {"type": "object", "properties": {"tone": {"type": "string"}}, "required": ["tone"]}


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (str, {"type": "string"}),
        (Decimal, {"type": "number"}),
        (Any, {}),
        (OBJECT, {"type": "object", "additionalProperties": True}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (
            Colour | None,
            {"anyOf": [{"type": "string", "enum": ["red", "blue"]}, {"type": "null"}]},
        ),
        (Literal["a"], {"const": "a"}),
        (Moment | None, {"type": ["string", "null"], "format": "date-time"}),
        (list[str | float], {"type": "array", "items": {"type": ["string", "number"]}}),
        (Sequence[Wheel], {"type": "array", "items": WHEEL}),
        (Wheel | None, {"anyOf": [WHEEL, {"type": "null"}]}),
        (Bell | None, {"anyOf": [TONE, {"type": "null"}]}),
        (
            Annotated[list[Annotated[str, Meta(min_length=1, pattern="^a")]], Meta(max_length=9)],
            {
                "type": "array",
                "items": {"type": "string", "minLength": 1, "pattern": "^a"},
                "maxItems": 9,
            },
        ),
        (Annotated[Any, described_as(Bell, description="B")], {**TONE, "description": "B"}),
    ],
)
def test_a_type_becomes_a_schema(kind: Any, schema: dict[str, Any]) -> None:
    assert schema_of(kind) == schema


def test_members_that_may_be_absent_are_not_required() -> None:
    assert schema_of_component(Bicycle) == {
        "type": "object",
        "properties": {
            "frontWheel": WHEEL,
            "bell": TONE,
            "note": {"type": "string", "description": "For people."},
            "isSold": {"const": True},
        },
        "required": ["frontWheel", "bell", "isSold"],
    }


def test_members_of_choices_are_described_there() -> None:
    text, whole, null = {"type": "string"}, {"type": "integer"}, {"type": "null"}

    assert schema_of_component(Search) == {
        "type": "object",
        "properties": {"limit": whole},
        "required": ["limit"],
        "oneOf": [
            {"type": "object", "properties": {"name": text}, "required": ["name"]},
            {
                "type": "object",
                "properties": {"number": whole, "name": null},
                "required": ["number"],
            },
        ],
    }


def test_a_component_brings_those_that_it_refers_to() -> None:
    parked = Content(component="Parked", kind=list[Bicycle])

    assert components_of([parked]) == {"Bicycle": Bicycle, "Parked": parked, "Wheel": Wheel}


def test_examples_are_as_they_are_sent() -> None:
    class Price(View):
        amount: Decimal
        note: str | UnsetType = UNSET

    Price.examples = (Price(Decimal("0.50")), Price(Decimal(2), "a"))
    shown = [{"amount": 0.5}, {"amount": 2, "note": "a"}]

    assert list(examples_of(Price)) == shown
    assert examples_of(Content(component="Prices", kind=list[Price])) == (shown,)


def test_a_type_does_not_take_over_the_examples_of_its_base() -> None:
    class Base(View):
        name: str

    class Derived(Base):
        size: int

    Base.examples = (Base("a"),)

    assert examples_of(Derived) == ()
