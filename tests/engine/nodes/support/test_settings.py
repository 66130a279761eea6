"""Settings: the schema of a member states what its reading refuses."""

from typing import Any

import jsonschema_rs
import pytest

from engine.nodes.support.settings import (
    Faults,
    Setting,
    choice,
    flag,
    number,
    pattern,
    schema_of,
    template,
    text,
    whole,
)

VALUES = [
    *(None, True, False, 0, 1, 2.0, 2.5, 3, -1, 1e300, float(2**53), 10**400),
    *("", "a", "ab", "{{ x }}", "{{ x", [], ["a"], {}, {"a": 1}),
]
SETTINGS = [
    choice("x", "", ("a", "b"), default="a"),
    choice("x", "", ("a", "b"), is_nullable=False),
    flag("x", ""),
    flag("x", "", is_nullable=False),
    whole("x", "", 1, 3),
    number("x", "", 0, 2.5, default=1),
    pattern("x", "", "[ab]+", "must be letters", widget="text"),
    pattern("x", "", "[ab]+", "no", widget="text", is_required=True, missing="must be letters"),
    text("x", ""),
    template("x", ""),
    template("x", "", {"x"}, is_nullable=False),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.widget)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_refused_where_the_schema_refuses_it(setting: Setting, value: Any) -> None:
    faults = Faults()
    data = {"x": value}

    setting.read(data, faults)

    stated = [each for each in faults.found if not each.is_beyond_schema]
    assert jsonschema_rs.is_valid(schema_of([setting]), data) is not bool(stated)
    assert all(each.field == "x" for each in faults.found)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda each: each.widget)
def test_an_absent_member_is_refused_where_it_is_required(setting: Setting) -> None:
    faults = Faults()

    setting.read({}, faults)

    assert bool(faults.found) is setting.is_required
    assert jsonschema_rs.is_valid(schema_of([setting]), {}) is not setting.is_required


def test_a_wrong_member_counts_as_its_default() -> None:
    assert whole("x", "", 1, 3, default=2).read({"x": 9}, Faults()) == 2
    assert whole("x", "", 1, 3, default=2).read({"x": 3.0}, Faults()) == 3


def test_placeholders_that_are_right_are_read_beside_one_that_is_not() -> None:
    found = template("x", "").read({"x": "{{ a }} {{ b.c }} {{ 1 }}"}, Faults())

    assert found.names == {"a", "b"}
