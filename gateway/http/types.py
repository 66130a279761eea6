"""Types of requests and answers.

One type gives a body its decoding or encoding, its JSON Schema and its example. Members are in
snake case here and in camel case in JSON; a member of an answer that may be absent is `UNSET`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert, structs

from engine.errors import InvalidBody
from engine.values.plain import moment

JSON = "application/json"
NAME = re.compile(r"[A-Za-z]{1,32}")
"""Name of a member that an error may repeat."""
Schema = dict[str, Any]
Parameter = tuple[str, Schema]
"""Name and JSON Schema of a path, query or header parameter."""
Links = Mapping[str, Mapping[str, str]]
"""By operation: its parameters, with the members of the answer that supply them."""

OBJECT = dict[str, Any]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A time in the format of `engine.values.plain.moment`."""
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Credits = Annotated[int, Meta(description="In credits; one is 0.001 USD.")]


def described_as(kind: Any, **more: Any) -> Meta:
    """Describe unparsed JSON by another type, and by `more` members of the schema."""
    return Meta(extra={"kind": kind}, extra_json_schema=more or None)


def doc(words: str) -> Meta:
    """Describe a member in prose."""
    return Meta(description=words)


def refused(sentence: str) -> Meta:
    """Set the sentence that refuses a request's member; it follows the member's name."""
    return Meta(extra={"refusal": sentence})


class Payload(Struct, rename="camel"):
    """An object in a body. Its class variables serve the OpenAPI document alone."""

    media_type: ClassVar[str] = JSON
    examples: ClassVar[tuple[Struct, ...]] = ()
    """Example values, set after the class definition because they are instances of it."""
    headers: ClassVar[Mapping[str, str]] = {}
    """Descriptions of additional headers, by name."""
    links: ClassVar[Links] = {}
    """Operations that a caller can call next with the members of the answer."""

    @classmethod
    def of(cls, record: Any, **members: Any) -> Self:
        """Build the view of a record: members not given are its attributes of the same names.

        Times are milliseconds in records. None becomes UNSET for members that may be absent.
        """
        for name, read in _readers(cls, tuple(members)):
            members[name] = read(record)
        return cls(**members)


class Nested(Payload):
    """An object within others, described in place."""


class View(Payload):
    """An object in an answer; a component of the OpenAPI document, named without `View`."""


class RequestBody(Payload, omit_defaults=True):
    """The JSON object in a request; a component of the OpenAPI document like a `View`.

    A member of the wrong type is refused with the sentence of its `refused`. Checks between members
    and beyond types belong in `__post_init__`, which raises InvalidBody itself. Members unknown to
    the type are ignored, or refused where it has `forbid_unknown_fields=True`.
    """

    choices: ClassVar[tuple[type[Struct], ...]] = ()
    """Alternative types for the members that are not described alike for all bodies."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Parse a decoded body. Raises InvalidBody."""
        if cls.__struct_config__.forbid_unknown_fields:
            _check_names(cls, body)
        members = {
            attribute: read(body.get(name))
            for attribute, name, is_required, read in _members(cls)
            if is_required or name in body
        }
        return cls(**members)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """A body that is no single object: a list, a text, or bytes."""

    component: str
    kind: Any
    """Python type of the body."""
    media_type: str = JSON
    examples: tuple[Any, ...] = ()
    """Without any, a list has one example made of the examples of its items."""
    headers: ClassVar[Mapping[str, str]] = {}
    links: ClassVar[Links] = {}


Shape = type[Payload] | Content
"""Type of a described body."""

_fields = cache(structs.fields)


def _check_names(kind: type[Struct], body: Mapping[str, Any]) -> None:
    known = [each.encode_name for each in _fields(kind)]
    for name in body:
        if name in known:
            continue
        takes = f"it takes {', '.join(sorted(known))}"
        if NAME.fullmatch(name) is None:  # a text that may be a secret is not repeated
            raise InvalidBody(f"The body has a member that is not known here; {takes}")
        raise InvalidBody(f"There is no member '{name}' here; {takes}", field=name)


@cache
def _members(kind: type[Struct]) -> tuple[tuple[str, str, bool, Callable[[Any], Any]], ...]:
    """Return attribute, name in JSON, required flag and converter of each member."""
    return tuple(
        (each.name, each.encode_name, each.required, _converter(each.encode_name, each.type))
        for each in _fields(kind)
    )


def _converter(name: str, kind: Any) -> Callable[[Any], Any]:
    annotations = getattr(kind, "__metadata__", ())
    bare = kind.__origin__ if annotations else kind
    is_object = bare == OBJECT
    notes = (note.extra or {} for note in annotations)
    refusal = next((each["refusal"] for each in notes if "refusal" in each), None)

    def read(value: Any) -> Any:
        if bare is Any or (is_object and isinstance(value, dict)):
            return value  # unparsed JSON is not copied
        try:
            return convert(value, kind)
        except ValidationError as error:
            sentence = refusal or f"is not as described: {error}"
            raise InvalidBody(f"'{name}' {sentence}", field=name) from None

    return read


@cache
def _readers(
    kind: type[Payload], given: tuple[str, ...]
) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Return name and reader of each member that is not given."""
    return tuple(
        (each.name, _reader(each.name, each.type))
        for each in _fields(kind)
        if each.name not in given
    )


def _reader(name: str, kind: Any) -> Callable[[Any], Any]:
    """Return a reader of the attribute of that name for a member of this type."""
    kinds = _alternatives(kind)
    read = attrgetter(name)
    if Moment in kinds:
        return lambda record: moment(read(record))
    if UnsetType in kinds:
        return lambda record: UNSET if (value := read(record)) is None else value
    return read


def _alternatives(kind: Any) -> list[Any]:
    if kind == Moment:
        return [kind]
    if hasattr(kind, "__metadata__"):
        return _alternatives(kind.__origin__)
    if get_origin(kind) in (Union, UnionType):
        return [other for each in get_args(kind) for other in _alternatives(each)]
    return [kind]
