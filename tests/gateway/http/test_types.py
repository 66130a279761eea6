"""A type reads a request's body, and refuses members by name."""

from typing import Annotated, Any

import pytest
from msgspec import Meta

from engine.errors import InvalidBody
from gateway.http.types import OBJECT, RequestBody, refused


class Parcel(RequestBody):
    """A request for this test."""

    display_name: Annotated[str, Meta(max_length=4), refused("must be a short text")]
    contents: OBJECT
    is_fragile: Annotated[bool, refused("must be true or false")] = False
    note: Any = None
    count: int = 1

    def __post_init__(self) -> None:
        if self.display_name == "root":
            raise InvalidBody("Nobody is called root", field="displayName")


def test_members_are_read_by_their_names_in_json() -> None:
    contents = {"a": [1, {"b": 2}]}

    parcel = Parcel.parse({"displayName": "Ada", "contents": contents, "isFragile": True, "x": 1})

    assert parcel == Parcel(display_name="Ada", contents=contents, is_fragile=True)
    assert parcel.contents is contents


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"displayName": 5}, "displayName", "'displayName' must be a short text"),
        ({"displayName": "Grace"}, "displayName", "'displayName' must be a short text"),
        ({"displayName": None}, "displayName", "'displayName' must be a short text"),
        ({"isFragile": "true"}, "isFragile", "'isFragile' must be true or false"),
        ({"isFragile": None}, "isFragile", "'isFragile' must be true or false"),
        ({"displayName": "root"}, "displayName", "Nobody is called root"),
        (
            {"count": "2"},
            "count",
            "'count' is not as described: Expected `int`, got `str`",
        ),
    ],
)
def test_a_member_of_another_type_is_refused(
    wrong: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        Parcel.parse({"displayName": "Ada", "contents": {}} | wrong)

    assert (refusal.value.message, refusal.value.context) == (message, {"field": field})


def test_a_member_that_is_missing_is_refused_like_null() -> None:
    with pytest.raises(InvalidBody) as refusal:
        Parcel.parse({"contents": {}})

    assert refusal.value.message == "'displayName' must be a short text"
