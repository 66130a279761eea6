"""Hostile bodies, as they are made."""

import json
import random
from collections import Counter
from collections.abc import Callable

import pytest

from gateway.http.json_bodies import parse_object
from tests.support.bodies.mutations import CHANGES, LARGE, Mutation, make_body

VALID = (b'{"inputs": {"name": "Ada", "sizes": [1, 2]}, "webhook": {"url": "https://a.b"}}',)


def kind_of(data: bytes) -> str:
    """Return what a parser says to a body."""
    try:
        json.loads(data)
    except (ValueError, RecursionError) as error:
        return type(error).__name__
    return "valid"


def test_a_body_is_the_same_for_its_seed_and_number_alone() -> None:
    assert [make_body(3, n, VALID) for n in range(200)] == [
        make_body(3, n, VALID) for n in range(200)
    ]
    assert make_body(3, 1, VALID) != make_body(4, 1, VALID)


def test_bodies_are_valid_and_invalid_and_rarely_alike() -> None:
    made = [make_body(1, number, VALID) for number in range(2_000)]

    assert len(set(made)) > 1_000
    assert Counter(map(kind_of, made)).keys() >= {"valid", "JSONDecodeError", "UnicodeDecodeError"}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_leaves_no_trace_of_its_marks(change: Callable[[Mutation], None]) -> None:
    for seed in range(50):
        body = Mutation(random.Random(seed), VALID[0])
        for _ in range(3):
            change(body)

        assert "@raw-" not in body.encode()


@pytest.mark.parametrize("make", LARGE)
def test_large_bodies_are_large(make: Callable[[], bytes]) -> None:
    assert len(make()) > 190_000


def test_an_unchanged_body_is_accepted() -> None:
    assert parse_object(Mutation(random.Random(1), VALID[0]).encode().encode())
