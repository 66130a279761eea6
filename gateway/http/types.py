"""Types of requests and answers.

One type gives a body its decoding or encoding, its JSON Schema and its example. Members are in
snake case here and in camel case in JSON; a member of an answer that may be absent is `UNSET`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta, Struct

from engine.errors import InvalidBody

JSON = "application/json"
Schema = dict[str, Any]
Parameter = tuple[str, Schema]
"""Name and JSON Schema of a path, query or header parameter."""
Links = Mapping[str, Mapping[str, str]]
"""By operation: its parameters, with the members of the answer that they take."""

OBJECT = dict[str, Any]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A time as `engine.values.moment` gives it."""
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Credits = Annotated[int, Meta(description="In credits; one is 0.001 USD.")]


def described_as(kind: Any, **more: Any) -> Meta:
    """Describe JSON that is passed through unparsed by another type, and by `more` schema."""
    return Meta(extra={"kind": kind}, extra_json_schema=more or None)


def refused(sentence: str) -> Meta:
    """Say how a request's member is refused: the sentence goes on behind the member's name."""
    return Meta(extra={"refusal": sentence})


class Payload(Struct, rename="camel"):
    """Base of `View` and `RequestBody`; the class variables only concern the description."""

    component: ClassVar[str] = ""
    """Name in the OpenAPI document; a type without one is described where it is used."""
    media_type: ClassVar[str] = JSON
    examples: ClassVar[tuple[Struct, ...]] = ()
    """Values to show, set behind the class that they are made of."""
    headers: ClassVar[Mapping[str, str]] = {}
    """Headers of an answer that has it, and their descriptions."""
    links: ClassVar[Links] = {}
    """Operations that can be called next with its members."""


class View(Payload):
    """An object in an answer."""


class RequestBody(Payload, omit_defaults=True):
    """The JSON object that a request carries.

    A member of the wrong type is refused with the sentence of its `refused`. Checks between members
    and beyond types belong in `__post_init__`, which raises InvalidBody itself.
    """

    choices: ClassVar[tuple[type[Struct], ...]] = ()
    """Types one of which describes those members that are not described alike for all bodies."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read a decoded body; members that are not of the type are ignored. Raises InvalidBody."""
        members = {
            member.attribute: member.read(body.get(member.name))
            for member in _members(cls)
            if member.is_required or member.name in body
        }
        return cls(**members)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """A body that is no single object: a list, a text, or bytes."""

    component: str
    kind: Any
    """Its type."""
    media_type: str = JSON
    examples: tuple[Any, ...] = ()
    """None given: a list has one example, with those of its items."""
    headers: ClassVar[Mapping[str, str]] = {}
    links: ClassVar[Links] = {}


Shape = type[Payload] | Content
"""A described body."""


@dataclass(frozen=True, slots=True)
class _Member:
    attribute: str
    name: str
    kind: Any
    is_required: bool
    refusal: str

    def read(self, value: Any) -> Any:
        if self.kind is Any or (self.kind == OBJECT and isinstance(value, dict)):
            return value  # unparsed JSON is not copied
        try:
            return msgspec.convert(value, self.kind)
        except msgspec.ValidationError as error:
            refusal = self.refusal or f"is not as described: {error}"
            raise InvalidBody(f"'{self.name}' {refusal}", field=self.name) from None


@cache
def _members(kind: type[Struct]) -> tuple[_Member, ...]:
    return tuple(
        _Member(
            each.name,
            each.encode_name,
            _bare(each.type),
            each.required,
            _refusal(each.type),
        )
        for each in msgspec.structs.fields(kind)
    )


def _refusal(kind: Any) -> str:
    notes = (note.extra for note in getattr(kind, "__metadata__", ()) if isinstance(note, Meta))
    return next((extra["refusal"] for extra in notes if extra and "refusal" in extra), "")


def _bare(kind: Any) -> Any:
    """The type without notes where it is one that is passed through."""
    bare = getattr(kind, "__origin__", kind)
    return bare if hasattr(kind, "__metadata__") and bare in (Any, OBJECT) else kind
