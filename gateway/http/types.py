"""Types of requests and answers.

One type gives a body or a query its decoding or encoding, its JSON Schema and its example. Members
are in snake case here and in camel case in JSON; a member of an answer that may be absent is
`UNSET`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, Union, get_args, get_origin

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert, defstruct, structs

from engine.errors import InvalidBody
from engine.values.plain import moment, parse_moment

JSON = "application/json"
NAME = re.compile(r"[A-Za-z]{1,32}")
"""Name of a member that an error may repeat."""
NOT_BLANK = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
"""A character that is not stripped; the usual class of blanks differs by language."""
Schema = dict[str, Any]
Parameter = tuple[str, Schema]
"""Name and JSON Schema of a path, query or header parameter."""
Links = Mapping[str, Mapping[str, str]]
"""By operation: its parameters, with the members of the answer that supply them."""

OBJECT = dict[str, Any]
MOMENT_META = Meta(extra_json_schema={"format": "date-time"})
Moment = Annotated[str, MOMENT_META]
"""A time in the format of `engine.values.plain.moment`."""
EXAMPLE_TIME = "2026-03-01T09:30:00.000Z"
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Credits = Annotated[int, Meta(description="In credits; one is 0.001 USD.")]

Amount = Annotated[Decimal | int, Meta(extra_json_schema={"type": "number"})]
"""An exact sum of money."""


class Instant(int):
    """A time in milliseconds; in requests a time of ISO 8601 with a zone."""


def described_as(kind: Any, **more: Any) -> Meta:
    """Describe unparsed JSON by another type, and by `more` members of the schema."""
    return Meta(extra={"kind": kind}, extra_json_schema=more or None)


def doc(words: str, *examples: Any) -> Meta:
    """Describe a member in prose, and by examples of it."""
    return Meta(description=words, examples=list(examples) or None)


def refused(sentence: str) -> Meta:
    """Set the sentence that refuses a request's member; it follows the member's name."""
    return Meta(extra={"refusal": sentence})


def exact_amount(amount: Decimal) -> Decimal | int:
    """Return the same amount in its fewest digits."""
    return int(amount) if amount == amount.to_integral_value() else amount.normalize()


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
    def from_record(cls, record: Any, **members: Any) -> Self:
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
        found = {}
        for member in members_of(cls):
            if member.is_required or member.name in body:
                try:
                    found[member.attribute] = member.convert(body.get(member.name))
                except ValueError as error:
                    message = f"'{member.name}' {error}"
                    raise InvalidBody(message, field=member.name) from None
        return cls(**found)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a body, or a query parameter."""

    attribute: str
    name: str
    """In JSON and in queries."""
    is_required: bool
    bare: Any
    """Type without annotations and None."""
    convert: Callable[[Any], Any]
    """Returns the member for a JSON value. Raises ValueError with the end of a sentence."""


@cache
def members_of(kind: type[Struct]) -> tuple[Member, ...]:
    """Return the members of a type."""
    return tuple(
        Member(
            attribute=each.name,
            name=each.encode_name,
            is_required=each.required,
            bare=_bare(each.type),
            convert=_converter(each.type),
        )
        for each in _fields(kind)
    )


def _converter(kind: Any) -> Callable[[Any], Any]:
    bare, notes = _bare(kind), list(_notes(kind))
    extras = (note.extra or {} for note in notes)
    refusals = (each["refusal"] for each in extras if "refusal" in each)
    refusal = next(refusals, None) or _refusal(bare, notes)
    whole = (each.pattern for each in notes if each.pattern and each.pattern.endswith("$"))
    patterns = [re.compile(each) for each in whole]
    # msgspec caches the analysis of a struct, but not of other types.
    holder = defstruct("Holder", [("member", kind)], array_like=True)

    def convert_value(value: Any) -> Any:
        if bare is Any or (bare == OBJECT and isinstance(value, dict)):
            return value  # unparsed JSON is not copied
        try:
            converted = convert([value], holder, dec_hook=decode_instant).member  # type: ignore[attr-defined]
        except ValidationError as error:
            reason = str(error).replace(" - at `$[0]`", "").replace("`$[0]", "`$")
            raise ValueError(refusal or f"is not as described: {reason}") from None
        if isinstance(value, str) and not all(each.fullmatch(value) for each in patterns):
            raise ValueError(refusal)  # msgspec takes a line feed after the end of a pattern
        return int(converted) if type(converted) is Instant else converted

    return convert_value


def _refusal(bare: Any, notes: Sequence[Meta]) -> str | None:
    """Return the sentence for a type that needs no sentence of its own."""
    if get_origin(bare) is list:
        [bare] = get_args(bare)
    if bare is bool:
        return "must be true or false"
    if bare is Instant:
        return f"must be a time with a zone, such as {EXAMPLE_TIME}"
    if isinstance(bare, type) and issubclass(bare, StrEnum):
        return f"must be one of {', '.join(bare)}"
    bounds = next((note for note in notes if note.ge is not None and note.le is not None), None)
    if bare is int and bounds is not None:
        return f"must be a whole number from {bounds.ge} to {bounds.le}"
    return None


def decode_instant(kind: type, value: Any) -> Any:
    """Return the `Instant` of a text. Raises ValueError."""
    at = parse_moment(value) if kind is Instant and isinstance(value, str) else None
    if at is None:
        raise ValueError("not a time")
    return Instant(at)


def _bare(kind: Any) -> Any:
    """Return a type without annotations, None and UNSET; None for a union of several types."""
    kinds = [each for each in _alternatives(kind) if each not in (NoneType, UnsetType)]
    return kinds[0] if len(kinds) == 1 else None


def _notes(kind: Any) -> Iterator[Meta]:
    """Yield the annotations of a type and of the types in its union, the outermost first."""
    yield from (each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta))
    if hasattr(kind, "__metadata__"):
        yield from _notes(kind.__origin__)
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _notes(each)


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
    # A type in another annotation is joined with it.
    if MOMENT_META in getattr(kind, "__metadata__", ()):
        return [Moment]
    if hasattr(kind, "__metadata__"):
        return _alternatives(kind.__origin__)
    if get_origin(kind) in (Union, UnionType):
        return [other for each in get_args(kind) for other in _alternatives(each)]
    return [kind]
