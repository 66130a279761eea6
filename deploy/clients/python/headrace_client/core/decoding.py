"""Answers as dataclasses: members in camel case become fields, unknown members stay in `raw`."""

import functools
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from headrace_client.errors import HeadraceError

T = TypeVar("T")
RAW = "raw"


class UnexpectedAnswerError(HeadraceError):
    """An answer lacks a member that this client needs."""


@dataclass(frozen=True, slots=True)
class _Member:
    field: str
    name: str
    read: Callable[[Any], Any]
    has_default: bool


def camel(name: str) -> str:
    """Return the name in the API of a field: `execution_id` is `executionId`."""
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def decode(kind: type[T], members: Mapping[str, Any]) -> T:
    """Return the dataclass with the members of a JSON object. Raises UnexpectedAnswerError."""
    if not isinstance(members, Mapping):
        raise UnexpectedAnswerError(f"{kind.__name__} is no object in the answer")
    values: dict[str, Any] = {}
    for each in _members_of(cast(Any, kind)):
        if each.field == RAW:
            values[RAW] = dict(members)
        elif each.name in members:
            values[each.field] = _read(kind, each, members[each.name])
        elif not each.has_default:
            raise UnexpectedAnswerError(f"{kind.__name__} lacks '{each.name}' in the answer")
    return kind(**values)


def _read(kind: type[Any], each: _Member, value: Any) -> Any:
    try:
        return each.read(value)
    except (TypeError, ValueError, AttributeError):
        message = f"'{each.name}' of {kind.__name__} is not as expected in the answer"
        raise UnexpectedAnswerError(message) from None


@functools.cache
def _members_of(kind: type[Any]) -> tuple[_Member, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(
        _Member(
            field=each.name,
            name=each.metadata.get("name") or camel(each.name),
            read=_reader(hints[each.name]),
            has_default=each.default is not MISSING or each.default_factory is not MISSING,
        )
        for each in fields(kind)
        if each.init
    )


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return the function that reads a value of this type from JSON."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        [inner] = [each for each in typing.get_args(hint) if each is not type(None)] or [Any]
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if typing.get_origin(hint) is tuple:
        item = _reader(typing.get_args(hint)[0])
        return lambda values: tuple(item(value) for value in values)
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type) and is_dataclass(hint):
        return functools.partial(decode, hint)
    return _same


def _same(value: Any) -> Any:
    return value
