"""Encoding of errors."""

import msgspec
import pytest

from engine import errors
from engine.errors import ERRORS, EngineError
from gateway.http.errors import STATUS, error_response, internal_error, method_not_allowed


def test_every_error_below_the_root_has_a_status() -> None:
    assert {EngineError, *EngineError.__subclasses__()} & set(ERRORS) == set(STATUS)


def test_the_body_of_a_401_is_exact() -> None:
    response = error_response(errors.Unauthorized())

    assert response.status_code == 401
    assert bytes(response.body) == b'{"error":"Unauthorized"}'
    assert response.headers["www-authenticate"].startswith("ApiKey")


@pytest.mark.parametrize("error", [errors.Unavailable(), errors.StoreFull()])
def test_a_503_says_when_to_come_back(error: EngineError) -> None:
    response = error_response(error)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert msgspec.json.decode(response.body)["code"] == "UNAVAILABLE"


def test_the_context_of_an_error_stands_beside_its_code() -> None:
    response = error_response(errors.InvalidInputs("size", "is required"))

    assert msgspec.json.decode(response.body) == {
        "error": "Input 'size': is required",
        "code": "INVALID_INPUTS",
        "field": "size",
        "reason": "is required",
    }


def test_a_bug_shows_nothing_of_itself() -> None:
    response = internal_error()

    assert response.status_code == 500
    assert msgspec.json.decode(response.body) == {
        "error": "Something went wrong on our side",
        "code": "INTERNAL_ERROR",
    }


def test_a_405_names_what_is_allowed() -> None:
    response = method_not_allowed("GET, HEAD")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
