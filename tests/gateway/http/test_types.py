"""Types read request bodies, refuse members by name, and show records in answers."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from engine.errors import InvalidBody
from gateway.http.types import OBJECT, Moment, RequestBody, View, doc, refused


class Parcel(RequestBody):
    """A request for this test."""

    display_name: Annotated[str, Meta(max_length=4), refused("must be a short text")]
    contents: Annotated[OBJECT, doc("Whatever is in it."), refused("must be an object")]
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
        ({"contents": []}, "contents", "'contents' must be an object"),
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


@dataclass(frozen=True)
class Letter:
    """A record for this test."""

    id: str
    sent_at: int
    read_at: int | None = None
    weight: float | None = None
    stamp: str | None = None


class LetterView(View):
    """View of a record for this test."""

    id: str
    sent_at: Annotated[Moment, doc("Described.")]
    read_at: Moment | None
    weight: float | None
    stamp: Annotated[str | UnsetType, doc("Absent without one.")] = UNSET
    sender: str | UnsetType = UNSET


def test_a_record_is_shown_by_the_names_of_its_attributes() -> None:
    shown = LetterView.from_record(Letter("a", 0, read_at=1, weight=0.5, stamp="red"), sender="Ada")

    assert msgspec.to_builtins(shown) == {
        "id": "a",
        "sentAt": "1970-01-01T00:00:00.000Z",
        "readAt": "1970-01-01T00:00:00.001Z",
        "weight": 0.5,
        "stamp": "red",
        "sender": "Ada",
    }


def test_an_attribute_that_is_none_is_null_or_absent() -> None:
    assert msgspec.to_builtins(LetterView.from_record(Letter("a", 0), sender=UNSET)) == {
        "id": "a",
        "sentAt": "1970-01-01T00:00:00.000Z",
        "readAt": None,
        "weight": None,
    }


def test_a_record_without_an_attribute_for_a_member_cannot_be_shown() -> None:
    with pytest.raises(AttributeError, match="sender"):
        LetterView.from_record(Letter("a", 0))
