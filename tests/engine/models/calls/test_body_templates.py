"""Body templates: filled values, and omission of missing ones."""

from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.models.calls.body_templates import Body

VALUES = {"prompt": "a cat", "count": 2, "wide": True, "more": {"seed": 7}}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{{ prompt }}", "a cat"),
        ("{{ count }}", 2),
        ("{{ wide }}", True),
        ("{{ more }}", {"seed": 7}),
        ("{{ more.seed }}", 7),
        ("{{ count }} of {{ prompt }}", "2 of a cat"),
        ("no placeholder", "no placeholder"),
        ({"a": {"b": ["{{ prompt }}", 1.5, False]}}, {"a": {"b": ["a cat", 1.5, False]}}),
    ],
)
def test_a_placeholder_alone_keeps_its_type(written: Any, filled: Any) -> None:
    assert Body.parse(written).fill(VALUES) == filled


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{{ gone }}", None),
        ({"a": 1, "b": "{{ gone }}"}, {"a": 1}),
        ({"a": 1, "b": {"c": "{{ gone }}"}}, {"a": 1}),
        ({"a": 1, "b": {}}, {"a": 1, "b": {}}),
        ({"a": "<{{ gone }}>"}, {"a": "<>"}),
        ([1, "{{ gone }}", 2], [1, 2]),
        ({"a": 1, "b": ["{{ gone }}", "{{ gone }}"]}, {"a": 1}),
        ({"a": 1, "b": []}, {"a": 1, "b": []}),
        ([{"type": "text"}, {"type": "image", "image": {"url": "{{ gone }}"}}], [{"type": "text"}]),
    ],
)
def test_what_is_missing_is_left_out_and_takes_its_item_along(written: Any, filled: Any) -> None:
    assert Body.parse(written).fill(VALUES) == filled


def test_what_is_put_in_is_not_read_again_as_a_template() -> None:
    body = Body.parse({"text": "{{ prompt }}"})

    assert body.fill({"prompt": "{{ secret }}", "secret": "x"}) == {"text": "{{ secret }}"}


def test_the_fields_that_a_body_uses_are_known() -> None:
    body = Body.parse({"a": ["{{ x }}", {"b": "{{ y.z }} and {{ x }}"}], "c": 1})

    assert body.names == {"x", "y"}


def test_every_fault_is_told_with_its_place() -> None:
    with pytest.raises(SettingsError) as raised:
        Body.parse({"a": ["{{ 1 }}"], "b": {"c": "{{"}, "d": object()})

    places = [reason.partition(":")[0].split(" ")[0] for reason in raised.value.reasons]
    assert places == [".a[0]", ".b.c", ".d"]
