import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInputs
from engine.errors.nodes import SettingsError
from engine.values.fields import Field, FieldType, check_inputs, check_types, parse_fields
from engine.values.input_schemas import inputs_schema
from tests.engine.values.test_plain import PLAIN

URLS = st.sampled_from(
    [
        "https://a.example/x.png",
        "https://a.example",
        "https://a.example?x=1#y",
        "https://[::1]/a",
        "https://ä.example/ü",
        "http://a.example/x",
        "https://",
        "https:///x",
        "https://a b",
        "https://a.example/\n",
        "https://a.example\n",
        "ftp://a.example",
        "javascript:alert(1)",
        "HTTPS://a.example",
        "https://a.example/" + "x" * 2048,
        "",
    ]
)
DECIMALS = st.integers(-2000, 2000).map(lambda n: n / 8)
STEPS = st.sampled_from([1, 2, 5, 10, 0.25, 0.5, 0.125])


@st.composite
def raw_fields(draw: st.DrawFn, name: str = "x") -> dict[str, Any]:
    kind = draw(st.sampled_from(FieldType))
    raw: dict[str, Any] = {"name": name, "type": str(kind), "required": draw(st.booleans())}
    if kind in (FieldType.NUMBER, FieldType.SLIDER):
        low, high = sorted((draw(DECIMALS), draw(DECIMALS)))
        raw |= draw(st.sampled_from([{}, {"min": low}, {"max": high}, {"min": low, "max": high}]))
        if draw(st.booleans()):
            raw["step"] = draw(STEPS)
    if kind in (FieldType.TEXT, FieldType.TEXTAREA) and draw(st.booleans()):
        raw["maxLength"] = draw(st.integers(1, 6))
    if kind is FieldType.PILLS:
        raw["options"] = draw(st.lists(st.text(max_size=3) | DECIMALS, min_size=1, max_size=4))
    return raw


ANY_VALUE = PLAIN | URLS | DECIMALS | st.integers(-300, 300) | st.sampled_from([1, True, "1", None])


@given(raw=raw_fields())
def test_a_field_reads_back_what_it_shows(raw: dict[str, Any]) -> None:
    (field,) = parse_fields([raw])

    assert parse_fields([field.as_dict()]) == (field,)


def field(**raw: Any) -> Field:
    (parsed,) = parse_fields([{"name": "x", **raw}])
    return parsed


def reason(one: Field, value: Any, **options: Any) -> str:
    with pytest.raises(InvalidInputs) as raised:
        check_inputs([one], {"x": value}, strict=False, **options)
    assert raised.value.context["field"] == "x"
    return str(raised.value.context["reason"])


@pytest.mark.parametrize(
    ("raw", "value", "expected"),
    [
        ({"type": "text"}, 1, "must be a text, not a number"),
        ({"type": "text"}, None, "must be a text, not null"),
        ({"type": "text"}, "\ud800", "must be valid Unicode"),
        ({"type": "text", "maxLength": 3}, "four", "at most 3 characters"),
        ({"type": "textarea"}, [], "must be a text, not a list"),
        ({"type": "number"}, "1", "must be a number of at most 64 bits, not a text"),
        ({"type": "number"}, True, "not true or false"),
        ({"type": "number"}, float("nan"), "must be a number"),
        ({"type": "number"}, 2**64, "at most 64 bits"),
        ({"type": "number", "min": 1}, 0, "must be at least 1"),
        ({"type": "slider", "max": 1}, 1.5, "must be at most 1"),
        ({"type": "slider", "step": 5}, 7, "must be 0 plus a multiple of 5"),
        ({"type": "slider", "min": 1, "step": 2}, 2, "must be 1 plus a multiple of 2"),
        ({"type": "pills", "options": ["a", "b"]}, "c", "must be one of a, b"),
        ({"type": "pills", "options": [1, 0]}, True, "must be one of 1, 0"),
        ({"type": "pills", "options": ["a"]}, ["a"], "must be one of a"),
        ({"type": "text", "options": ["a", "b"]}, "c", "must be one of a, b"),
        ({"type": "toggle"}, 1, "must be true or false, not a number"),
        ({"type": "toggle"}, "true", "must be true or false, not a text"),
        ({"type": "image"}, "http://a.example/x", "must be a URL that starts with https://"),
        ({"type": "video"}, "data:video/mp4;base64,AA", "must be a URL"),
        ({"type": "audio"}, {"url": "https://a.example"}, "must be a URL, not an object"),
        ({"type": "image"}, None, "must be a URL, not null"),
        ({"type": "image"}, "https://a.example/" + "x" * 2_048, "a URL of at most 2048 characters"),
        ({"type": "json"}, [[float("inf")]], "not finite"),
    ],
)
def test_an_input_that_does_not_fit_says_why(
    raw: dict[str, Any], value: Any, expected: str
) -> None:
    assert expected in reason(field(**raw), value)


@pytest.mark.parametrize(
    ("value", "allow_http", "expected"),
    [
        ("cat", False, "must be the id of an asset or a URL that starts with https://"),
        ("cat", True, "must be the id of an asset or a URL that starts with https:// or http://"),
        (None, False, "must be the id of an asset or a URL, not null"),
        (5, True, "must be the id of an asset or a URL, not a number"),
    ],
)
def test_a_medium_that_may_be_an_asset_is_asked_for_as_such(
    value: Any, allow_http: bool, expected: str
) -> None:
    with pytest.raises(InvalidInputs) as caught:
        check_inputs(
            [field(type="image")],
            {"x": value},
            strict=False,
            allow_http=allow_http,
            allow_assets=True,
        )

    assert caught.value.context["reason"] == expected


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"type": "text", "maxLength": 4}, "𝔣our"),
        ({"type": "number"}, 1),
        ({"type": "number"}, 1.5),
        ({"type": "slider", "min": 0, "max": 1, "step": 0.1}, 0.3),
        ({"type": "slider", "min": 0, "max": 1, "step": 0.1}, 0.1 + 0.2),
        ({"type": "number", "min": 1, "step": 2}, 3),
        ({"type": "pills", "options": [1, "a"]}, 1.0),
        ({"type": "toggle"}, False),
        ({"type": "image"}, "https://a.example/x.png"),
        ({"type": "json"}, None),
        ({"type": "json"}, {"a": [1, {"b": None}]}),
    ],
)
def test_an_input_that_fits_is_taken_as_it_is(raw: dict[str, Any], value: Any) -> None:
    checked = check_inputs([field(**raw)], {"x": value}, strict=True)

    assert checked == {"x": value}
    assert type(checked["x"]) is type(value)


def test_http_media_are_taken_where_private_urls_are_allowed() -> None:
    image = field(type="image")
    inputs = {"x": "http://127.0.0.1:8080/a.png"}

    assert check_inputs([image], inputs, strict=True, allow_http=True) == inputs
    assert jsonschema_rs.is_valid(inputs_schema([image], strict=True, allow_http=True), inputs)


def test_missing_fields_take_the_default() -> None:
    fields = parse_fields(
        [
            {"name": "a", "type": "text", "default": "x", "required": True},
            {"name": "b", "type": "toggle", "default": False},
            {"name": "c", "type": "number"},
        ]
    )

    assert check_inputs(fields, {}, strict=True) == {"a": "x", "b": False}


def test_a_missing_field_that_is_required_and_has_no_default_is_refused() -> None:
    with pytest.raises(InvalidInputs) as raised:
        check_inputs([field(type="text", required=True)], {}, strict=False)

    assert raised.value.context == {"field": "x", "reason": "is required"}


def test_unknown_inputs_are_refused_only_when_strict() -> None:
    assert check_inputs([field(type="text")], {"y": 1}, strict=False) == {}
    with pytest.raises(InvalidInputs) as raised:
        check_inputs([field(type="text")], {"y": 1}, strict=True)
    assert raised.value.context == {"field": "y", "reason": "unknown field"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("x", "fields must be a list"),
        ([1], r"fields\[0\] must be an object"),
        ([{"type": "text"}], r"fields\[0\].name must be a text of 1 to 64"),
        ([{"name": "", "type": "text"}], "name must be"),
        ([{"name": "a\n", "type": "text"}], "name must be"),
        ([{"name": "x" * 65, "type": "text"}], "name must be"),
        ([{"name": "a", "type": "date"}], "type must be one of text, textarea"),
        ([{"name": "a"}], "type must be one of"),
        ([{"name": "a", "type": ["text"]}], "type must be one of"),
        ([{"name": "a", "type": "text", "required": 1}], "required must be true or false"),
        ([{"name": "a", "type": "text", "label": 5}], "label must be a text"),
        ([{"name": "a", "type": "text", "helperText": "x" * 1001}], "helperText must be a text"),
        ([{"name": "a", "type": "number", "min": "0"}], "min must be a number"),
        ([{"name": "a", "type": "number", "step": 0}], "step must be over 0"),
        ([{"name": "a", "type": "number", "min": 2, "max": 1}], "min is 2 and must not be over"),
        ([{"name": "a", "type": "text", "maxLength": 0}], "maxLength must be a whole number"),
        ([{"name": "a", "type": "pills"}], "options must have at least one entry"),
        ([{"name": "a", "type": "pills", "options": [True]}], "options must be a list"),
        ([{"name": "a", "type": "pills", "options": ["x"] * 201}], "at most 200 texts or numbers"),
        ([{"name": "a", "type": "pills", "options": "x"}], "options must be a list"),
        ([{"name": "a", "type": "number", "max": 2**64}], "max must be a number"),
        ([{"name": "a", "type": "number", "max": True}], "max must be a number"),
        ([{"name": "a", "type": "text", "maxLength": "9"}], "maxLength must be a whole number"),
        ([{"name": "a", "type": "text", "options": [1]}], r"options\[0\] must be a text"),
        ([{"name": "a", "type": "slider", "max": 3, "default": 4}], "default must be at most 3"),
        ([{"name": "a", "type": "text"}] * 2, "the name 'a' more than once"),
        ([{"name": f"f{i}", "type": "text"} for i in range(101)], "at most 100 are allowed"),
    ],
)
def test_fields_that_are_not_right_are_refused_by_place(raw: Any, expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_fields(raw)

    assert re.search(expected, str(raised.value))


def test_all_reasons_of_all_fields_come_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        parse_fields([{"name": 1, "type": "x"}, {"name": "b", "type": "pills"}])

    assert len(raised.value.reasons) == 3


def test_no_fields_are_fine() -> None:
    assert parse_fields(None) == parse_fields([]) == ()


def test_a_field_shows_only_what_it_has() -> None:
    assert field(type="text").as_dict() == {
        "name": "x",
        "label": "x",
        "type": "text",
        "required": False,
    }
    full = {
        "name": "x",
        "label": "Size",
        "type": "slider",
        "required": True,
        "default": 2,
        "min": 0,
        "max": 4,
        "step": 2,
        "helperText": "Even",
    }
    assert field(**full).as_dict() == full


def test_settings_of_another_type_are_left_out() -> None:
    shown = field(type="toggle", min=1, step=0, maxLength=3, options=["a"]).as_dict()

    assert shown.keys() == {"name", "label", "type", "required"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "a\x00b"),
        ("textarea", "\x00"),
        ("json", "\x00"),
        ("json", [{"a": ["\x00"]}]),
        ("json", {"a\x00": 1}),
    ],
)
def test_a_NUL_character_is_refused_where_it_cannot_be_taken(kind: str, value: Any) -> None:
    fields = parse_fields([{"name": "a", "type": kind}])

    with pytest.raises(InvalidInputs) as raised:
        check_inputs(fields, {"a": value}, strict=False, allow_nul=False)

    assert raised.value.context == {"field": "a", "reason": "has a NUL character in a text"}
    assert check_inputs(fields, {"a": value}, strict=False) == {"a": value}


def test_values_that_need_only_their_type_may_break_the_other_rules() -> None:
    fields = parse_fields(
        [
            {"name": "text", "type": "text", "required": True, "maxLength": 2, "options": ["a"]},
            {"name": "size", "type": "slider", "min": 2, "max": 4, "step": 2, "default": 2},
            {"name": "mood", "type": "pills", "options": ["calm", 3], "default": 3},
        ]
    )
    free = {"text": "abc", "size": 7, "mood": "calm"}

    assert check_types(fields, {}) == {}
    assert check_types(fields, free) == free
    for wrong in ({"text": 1}, {"size": "7"}, {"mood": {}}, {"other": 1}):
        with pytest.raises(InvalidInputs) as raised:
            check_types(fields, wrong)
        assert raised.value.context["field"] in wrong
