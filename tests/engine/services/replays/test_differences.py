"""Differences of two values: their places, in order, bounded in number and size."""

import tracemalloc
from typing import Any

import pytest

from engine.services.replays.differences import (
    MOST_CHANGES,
    MOST_CHARACTERS,
    MOST_OF_ALL,
    Changes,
    find_changes,
)


def never(one: Any, other: Any) -> bool:
    return False


def changes(before: Any, after: Any) -> Changes:
    return find_changes(before, after, "result", never)


def places(before: Any, after: Any) -> list[str]:
    return [each.path for each in changes(before, after).shown]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a", "a", []),
        (1, 1.0, []),
        (1, True, ["result"]),
        (0, False, ["result"]),
        (None, {"a": None}, ["result"]),
        ({"a": 1}, {"a": 1, "b": None}, []),
        ({"a": 1}, {"b": 1}, ["result.a", "result.b"]),
        ([1, 2], [1, 3, 4], ["result[1]", "result[2]"]),
        ({"items": [{"name": "a"}]}, {"items": [{"name": "b"}]}, ["result.items[0].name"]),
        ({"a b": 1, 'c"': 1}, {"a b": 2, 'c"': 2}, ['result["a b"]', 'result["c\\""]']),
        ([], {}, ["result"]),
        ({"z": 1, "a": 1}, {"z": 2, "a": 2}, ["result.z", "result.a"]),
    ],
)
def test_each_difference_has_its_place_in_order(
    before: Any, after: Any, expected: list[str]
) -> None:
    assert places(before, after) == expected


def test_values_that_stand_for_the_same_are_no_difference() -> None:
    found = find_changes(["x1", "y"], ["x2", "z"], "result", lambda a, b: a[0] == b[0] == "x")

    assert [(each.path, each.before, each.after) for each in found.shown] == [
        ("result[1]", "y", "z")
    ]


def test_long_values_are_cut() -> None:
    text, parts = "a" * (MOST_CHARACTERS + 1), list(range(MOST_CHARACTERS))

    [change] = changes(text, {"parts": parts}).shown

    assert change.before == "a" * MOST_CHARACTERS + "…"
    assert change.after.startswith('{"parts": [0, 1')
    assert len(change.after) == MOST_CHARACTERS + 1


def test_the_number_of_changes_and_their_size_are_bounded() -> None:
    many = changes(list(range(60)), list(range(1, 61)))
    large = changes(["a" * 3_000] * 40, ["b" * 3_000] * 40)

    assert (len(many.shown), many.has_more) == (MOST_CHANGES, True)
    assert large.has_more
    assert sum(len(each.before + each.after) for each in large.shown) < MOST_OF_ALL + 5_000
    assert not changes(list(range(50)), list(range(1, 51))).has_more


def test_deep_values_are_compared() -> None:
    before: Any = 1
    after: Any = 2
    for _ in range(5_000):
        before, after = [before], [after]

    [change] = changes(before, after).shown

    assert (change.before, change.after) == (1, 2)
    assert len(change.path) <= MOST_CHARACTERS


def test_a_long_name_above_many_items_takes_no_memory_for_each() -> None:
    name = "a b" * 10_000
    before, after = {name: [0] * 20_000}, {name: [0] * 19_999 + [1]}

    tracemalloc.start()
    found = changes(before, after)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    [change] = found.shown
    assert (len(change.path), change.before, change.after) == (MOST_CHARACTERS, 0, 1)
    assert peak < 10_000_000
