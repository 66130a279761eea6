"""Cosines of vectors: their values, and values that are no vectors."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors.nodes import NodeFailed
from engine.nodes.retrieval import vectors
from engine.nodes.retrieval.vectors import blocks, cosines

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**64 - 1)
)


@pytest.mark.parametrize(
    ("query", "vector", "cosine"),
    [
        ([1, 0], [5, 0], 1),
        ([1, 0], [0, 2], 0),
        ([1, 0], [-3, 0], -1),
        ([1, 1], [1, 0], math.sqrt(0.5)),
        ([0, 0], [1, 2], 0),
        ([1, 2], [0, 0.0], 0),
        ([1e-300, 0], [1e-300, 1e-300], math.sqrt(0.5)),
        ([1e308, 1e308], [1e308, 1e308], 1),
        ("[3, 4]", "[3.0, 4e0]", 1),
    ],
)
def test_the_score_is_the_cosine_of_the_angle(query: Any, vector: Any, cosine: float) -> None:
    assert cosines(query, [vector]) == [pytest.approx(cosine)]


@pytest.mark.A101d
@given(
    st.integers(1, 8).flatmap(
        lambda n: st.lists(st.lists(NUMBERS, min_size=n, max_size=n), min_size=1)
    )
)
def test_every_score_of_finite_numbers_is_between_minus_one_and_one(found: list[list[Any]]) -> None:
    scores = cosines(found[0], found)

    assert all(-1 <= score <= 1 for score in scores)
    assert scores[0] in (0, pytest.approx(1))
    assert (scores[0] == 0) == (not any(found[0]))


@pytest.mark.A101d
@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        ([1], "has 1 numbers, and that at query-in has 2"),
        ([1, "2"], "has a text at 1, where a number must be"),
        ([1, None], "has null at 1"),
        ([True, 1], "has true or false at 0"),
        ([1, [2]], "has a list at 1"),
        ([1, math.nan], "has a number that is not finite"),
        ([1, -math.inf], "has a number that is not finite"),
        ("[1, NaN]", "has a number that is not finite"),
        (f"[1, 1{'0' * 400}]", "has a number that is not finite"),
        ([], "must be a list of numbers, not an empty list"),
        (None, "must be a list of numbers, not null"),
        (7, "must be a list of numbers, not a number"),
        ("mug", "is a text, but not JSON of a list of numbers"),
        ("[" * 100_000, "is a text, but not JSON of a list of numbers"),
        ('{"a": 1}', "must be a list of numbers, not an object"),
    ],
)
def test_a_value_that_is_no_vector_is_refused_with_its_place(vector: Any, reason: str) -> None:
    with pytest.raises(NodeFailed) as caught:
        cosines([1, 2], [[1, 2], vector], first=40)

    assert caught.value.code == "invalid_value"
    assert caught.value.message.startswith(f"Vector 41 at vectors-in {reason}")


@pytest.mark.A101d
def test_a_query_that_is_no_vector_is_refused_without_any_vectors() -> None:
    with pytest.raises(NodeFailed, match="The vector at query-in must be a list"):
        cosines({}, [])


def test_blocks_are_all_vectors_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "BLOCK_NUMBERS", 4)
    given_vectors = [[1, 2], [3, 4], [5] * 9, "[1]", 7]

    assert list(blocks(given_vectors)) == [
        (0, [[1, 2], [3, 4]]),
        (2, [[5] * 9]),
        (3, ["[1]", 7]),
    ]
    assert list(blocks([])) == []
