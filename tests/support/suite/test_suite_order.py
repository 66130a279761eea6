"""The order of the tests leaves none out and shares the long ones."""

from collections import Counter
from dataclasses import dataclass

import pytest

from tests.support.suite.suite_order import deal


@dataclass(frozen=True)
class Test:
    nodeid: str

    __test__ = False


LONG = [
    Test(f"tests/acceptance/test_{module}.py::test_{number}")
    for module in range(10)
    for number in range(3)
]
SHORT = [Test(f"tests/engine/test_a.py::test_{number}") for number in range(270)]


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_every_test_is_dealt_once(count: int) -> None:
    assert Counter(deal([*LONG, *SHORT], count)) == Counter([*LONG, *SHORT])


def test_each_process_begins_with_whole_modules_of_long_tests() -> None:
    dealt = deal([*LONG, *SHORT], 4)
    parts = [dealt[start : start + 75] for start in range(0, 300, 75)]

    shares = [[test for test in part if test in LONG] for part in parts]
    modules = [{test.nodeid.partition("::")[0] for test in share} for share in shares]

    assert [part[: len(share)] for part, share in zip(parts, shares, strict=True)] == shares
    assert sorted(len(share) for share in shares) == [6, 6, 9, 9]
    assert sum(len(each) for each in modules) == 10


def test_one_process_takes_the_tests_in_their_order() -> None:
    assert deal([*LONG, *SHORT], 1) == [*LONG, *SHORT]


def test_few_tests_are_dealt_too() -> None:
    assert deal(LONG, 4) == LONG
    assert deal([], 4) == []
