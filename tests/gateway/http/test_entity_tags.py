"""Versions in headers."""

import pytest
from starlette.datastructures import Headers

from gateway.http.entity_tags import entity_tag, is_known, wanted_versions


def test_an_answer_has_its_version_as_a_strong_tag() -> None:
    assert entity_tag(3) == {"etag": '"3"'}


@pytest.mark.parametrize("header", [None, "*", " * "])
def test_any_version_may_be_replaced_without_a_condition(header: str | None) -> None:
    assert wanted_versions(Headers({} if header is None else {"if-match": header})) is None


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ('"3"', {3}),
        ("3", {3}),
        ('"3", "5"', {3, 5}),
        ('"3", W/"4"', {3}),
        ('"x"', set()),
        ("", set()),
    ],
)
def test_versions_are_read_with_and_without_quotes(header: str, versions: set[int]) -> None:
    assert wanted_versions(Headers({"if-match": header})) == versions


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ('"3"', True),
        ('W/"3"', True),
        ('"1", W/"3"', True),
        ('"4"', False),
        ("3", False),
        ("", False),
    ],
)
def test_a_version_that_the_caller_has_is_known_by_a_strong_or_weak_tag(
    header: str, known: bool
) -> None:
    assert is_known(3, Headers({"if-none-match": header})) is known
