"""Keys and arguments of scripts by the names in their headers."""

from typing import Any

import pytest

from engine.store import Store
from engine.store.redis.script_names import parse_names
from engine.store.redis.scripts import Script

HEADER = """#!lua
-- Do something.
-- KEYS: {keys}
-- ARGV: {arguments}
-- Returns nothing
"""


def script(body: str = "", *, keys: str = "key", arguments: str = "one") -> Script:
    text = HEADER.format(keys=keys, arguments=arguments) + body
    names = parse_names(text)
    return Script("script", names.place(text), names)


def test_names_of_a_header_stand_between_commas_with_explanations_in_parentheses() -> None:
    names = parse_names(
        "#!lua\n-- KEYS: one (of two, (or\n--       three)), two\n-- ARGV: now?, act*6,\n"
        "--       fields..., limits...\n-- Returns 1, for KEYS: four\n"
    )

    assert [each.name for each in names.keys] == ["one", "two"]
    assert [each.name for each in names.arguments] == ["now", "act", "fields", "limits"]


def test_positions_replace_names_in_the_text() -> None:
    made = script(
        "return {KEYS.key, KEYS.other, ARGV.one, FIRST.act, LAST.act, ARGV.two}",
        keys="key, other",
        arguments="one, act*3, two",
    )

    assert "return {KEYS[1], KEYS[2], ARGV[1], 2, 4, ARGV[5]}" in made.text


def test_a_call_gives_every_value_its_position_in_any_order() -> None:
    made = script(
        "local a = {KEYS.key, KEYS.other, ARGV.one, FIRST.act, ARGV.two}",
        keys="key, other",
        arguments="one, act*2, two",
    )

    words = made.words(two=b"2", other="o", act=("x", "y"), key="k", one=1)

    assert [*words] == [2, "k", "o", 1, "x", "y", b"2"]


BODY = """
local fields, limits, records = {}, {}, {}
for position = FIRST.fields, LAST.fields do fields[#fields + 1] = ARGV[position] end
for position = FIRST.limits, LAST.limits do limits[#limits + 1] = ARGV[position] end
for position = FIRST.records, LAST.records do records[#records + 1] = KEYS[position] end
return {KEYS.key, KEYS.late or 'absent', ARGV.now, ARGV.one, fields, limits, records}
"""


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({}, [b"k", b"absent", b"", b"1", [], [], []]),
        ({"late": None, "now": None}, [b"k", b"absent", b"", b"1", [], [], []]),
        ({"late": "l", "now": 5}, [b"k", b"l", b"5", b"1", [], [], []]),
        (
            {"fields": ["a", "b"], "limits": ("c",), "records": ["r", "s"]},
            [b"k", b"absent", b"", b"1", [b"a", b"b"], [b"c"], [b"r", b"s"]],
        ),
        ({"limits": [b"c"]}, [b"k", b"absent", b"", b"1", [], [b"c"], []]),
        ({"fields": [b"a"]}, [b"k", b"absent", b"", b"1", [b"a"], [], []]),
    ],
)
async def test_optional_names_and_lists_may_be_left_out(
    given: dict[str, Any], answer: list[Any], store: Store
) -> None:
    made = script(BODY, keys="key, late?, records...", arguments="now?, one, fields..., limits...")

    assert await store.client.call(made, key="k", one="1", **given) == answer


def test_absent_keys_behind_the_last_present_one_are_not_sent() -> None:
    body = "local a = {KEYS.key, KEYS.one, KEYS.two, FIRST.records, ARGV.now, FIRST.fields}"
    with_list = script(body, keys="key, one?, two?, records...", arguments="now?, fields...")
    plain = script(
        "local a = {KEYS.key, KEYS.one, KEYS.two, ARGV.now}",
        keys="key, one?, two?",
        arguments="now?",
    )

    assert [*plain.words(key="k")] == [1, "k", ""]
    assert [*plain.words(key="k", one="o", now=5)] == [2, "k", "o", 5]
    assert [*plain.words(key="k", two="t")] == [3, "k", "k", "t", ""]
    assert [*with_list.words(key="k", fields=["f"])] == [1, "k", "", "f"]
    assert [*with_list.words(key="k", one="o")] == [2, "k", "o", ""]
    assert [*with_list.words(key="k", records=["r"])] == [4, "k", "k", "k", "r", ""]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"key": "k"},
        {"key": "k", "one": 1, "two": 2},
        {"key": "k", "two": 2},
        {"key": "k", "one": 1, "act": (1,)},
    ],
)
def test_a_call_with_a_missing_or_an_unknown_name_is_refused(given: dict[str, Any]) -> None:
    made = script("local a = {KEYS.key, ARGV.one, ARGV.now}", arguments="now?, one")
    with_act = script("local a = {KEYS.key, ARGV.one, FIRST.act}", arguments="one, act*2")

    for each in (made, with_act):
        with pytest.raises(TypeError):
            each.words(**given)


@pytest.mark.parametrize(
    "body",
    [
        "return ARGV.one",
        "return KEYS.key",
        "return {KEYS.key, ARGV.one, ARGV.two}",
        "return {KEYS.key, KEYS.one, ARGV.one}",
        "return {KEYS.key, ARGV.one, FIRST.one}",
        "return {KEYS.key, ARGV.one, ARGV[1]}",
    ],
)
def test_a_script_uses_the_names_of_its_header_and_no_others(body: str) -> None:
    with pytest.raises(ValueError):
        script(body)


@pytest.mark.parametrize(
    ("keys", "arguments"),
    [
        ("", "one"),
        ("key?", "one"),
        ("key, more..., other", "one"),
        ("key, more*2", "one"),
        ("key", "one, key"),
        ("key", "one, more..., two"),
        ("key", "One"),
        ("key", "in"),
        ("key", "one two"),
    ],
)
def test_a_header_that_gives_no_name_its_own_position_is_refused(keys: str, arguments: str) -> None:
    with pytest.raises(ValueError):
        parse_names(HEADER.format(keys=keys, arguments=arguments))
