"""Values of model calls: blank texts and schemas."""

import json
from typing import Any

import pytest

from engine.errors import InvalidInputs
from engine.models.calls.call_checks import check_call
from engine.values.fields import parse_fields

FIELDS = parse_fields(
    [
        {"name": "prompt", "type": "textarea", "required": True},
        {"name": "style", "type": "text"},
        {"name": "voice", "type": "text", "required": True, "default": "alloy"},
        {"name": "jsonSchema", "type": "json"},
    ]
)
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}}


def refused(values: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(InvalidInputs) as caught:
        check_call(FIELDS, values)
    return caught.value.context["field"], caught.value.context["reason"]


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_a_blank_text_is_missing_where_one_is_required(blank: str) -> None:
    assert refused({"prompt": blank}) == ("prompt", "is required")
    assert check_call(FIELDS, {"prompt": "x", "style": blank, "voice": blank}) == {
        "prompt": "x",
        "style": blank,
        "voice": "alloy",
    }


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("notjson", "must be an object"),
        ([PERSON], "must be an object"),
        (5, "must be an object"),
        ({"type": "zork"}, "is not a JSON Schema"),
        ('{"type": "zork"}', "is not a JSON Schema"),
        ({"description": "x" * 40_000}, "at most 32768"),
    ],
)
def test_what_is_no_schema_is_refused_before_anybody_is_called(schema: Any, reason: str) -> None:
    field, message = refused({"prompt": "x", "jsonSchema": schema})

    assert (field, reason in message) == ("jsonSchema", True)


@pytest.mark.parametrize("schema", [PERSON, json.dumps(PERSON)])
def test_a_schema_is_an_object_or_its_text(schema: Any) -> None:
    checked = check_call(FIELDS, {"prompt": "x", "jsonSchema": schema})

    assert checked["jsonSchema"] == PERSON


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_schema_is_none(nothing: object) -> None:
    assert "jsonSchema" not in check_call(FIELDS, {"prompt": "x", "jsonSchema": nothing})


def test_a_text_that_happens_to_be_called_like_a_schema_is_a_text() -> None:
    fields = parse_fields([{"name": "jsonSchema", "type": "text"}])

    assert check_call(fields, {"jsonSchema": "notjson"}) == {"jsonSchema": "notjson"}


LINK = "https://a.example/{}.pdf"
FILE = parse_fields([{"name": "file", "type": "file", "required": True}])


def test_a_file_is_a_link_or_a_list_of_links() -> None:
    links = [LINK.format(number) for number in range(20)]

    assert check_call(FILE, {"file": links[0]}) == {"file": links[0]}
    assert check_call(FILE, {"file": links}) == {"file": links}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "is required"),
        ([LINK.format(number) for number in range(21)], "takes at most 20 files, not 21"),
        ([LINK.format(1), 5], "must be a URL, not a number"),
        ([[LINK.format(1)]], "must be a URL, not a list"),
        ([LINK.format(1), "ftp://a.example/1.pdf"], "must be a URL that starts with https://"),
    ],
)
def test_lists_of_files_are_checked_one_by_one(value: Any, reason: str) -> None:
    with pytest.raises(InvalidInputs) as caught:
        check_call(FILE, {"file": value})

    assert caught.value.context["reason"] == reason


def test_no_other_field_takes_a_list_of_links() -> None:
    image = parse_fields([{"name": "photo", "type": "image"}])

    with pytest.raises(InvalidInputs, match="must be a URL, not a list"):
        check_call(image, {"photo": [LINK.format(1)]})
