"""Query parameters: one type for each query gives their parsing and their description."""

import re
from functools import cache
from typing import Annotated, Any, Self, get_origin
from urllib.parse import parse_qsl

from msgspec import Meta, Struct
from starlette.types import Scope

from engine.access.capabilities import MODEL_NAME
from engine.errors import InvalidQuery
from engine.ids.slugs import SLUG
from engine.releases.aliases import NAME
from gateway.http.types import Member, doc, members_of, refused

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
"""Most rows of a page."""
MAX_SHORT_LIMIT = 200
"""Most rows of a page of the lists that came later."""
MAX_NAME = 100
"""Most characters of an unknown name that an answer repeats."""
MAX_NUMBER = 2**53 - 1
FLAGS = {"true": True, "1": True, "": True, "false": False, "0": False}
INTEGER = re.compile(r"[0-9]{1,16}")
SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?(e-[0-9]{1,3})?", re.IGNORECASE)
"""A small number may come in the notation of programs: `1e-07`."""
MAX_SECONDS = 10**9 - 1
"""Largest number of nine digits."""

Values = dict[str, list[str]]
Cursor = Annotated[str, doc("The `nextCursor` of the page before.")]
Slug = Annotated[str, Meta(pattern=f"^(?:{SLUG.pattern})$"), refused("must be a workflow's slug")]
ModelName = Annotated[
    str, Meta(pattern=f"^(?:{MODEL_NAME})$"), refused("must be a model's internal name")
]
Seconds = Annotated[
    float,
    Meta(extra_json_schema={"minimum": 0, "maximum": MAX_SECONDS}),
    refused("must be a number of seconds, zero or more"),
]
Version = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
VERSION_OR_ALIAS = Version | Annotated[str, Meta(pattern=f"^(?:{NAME.pattern})$")]
VersionOrAlias = Annotated[
    VERSION_OR_ALIAS, refused("must be the number of a version, or the name of an alias")
]


class QueryParameters(Struct, rename="camel", kw_only=True, omit_defaults=True):
    """Query parameters of a request, with their descriptions.

    Numbers and flags are read from their texts; a list is a parameter that may be repeated.
    """

    @classmethod
    def parse(cls, scope: Scope) -> Self:
        """Parse the query of a request; unknown names are ignored. Raises InvalidQuery."""
        values = _read_values(scope)
        if not values:
            return cls()
        return cls(
            **{
                each.attribute: _parse_member(each, values[each.name])
                for each in members_of(cls)
                if each.name in values
            }
        )


class PageQuery(QueryParameters):
    """Query of a list that comes in pages."""

    limit: Annotated[
        int, Meta(ge=1, le=MAX_LIMIT, description="Rows of a page.", examples=[20])
    ] = DEFAULT_LIMIT
    cursor: Cursor | None = None


class ShortPageQuery(PageQuery):
    """Query of a list that comes in shorter pages."""

    limit: Annotated[
        int, Meta(ge=1, le=MAX_SHORT_LIMIT, description="Rows of a page.", examples=[20])
    ] = DEFAULT_LIMIT


def check_names(scope: Scope, kind: type[QueryParameters] | None) -> None:
    """Raise InvalidQuery for a name that a type of query lacks; None: for every name."""
    known = _names_of(kind)
    for name in _read_values(scope):
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
            message = f"There is no query parameter '{name[:MAX_NAME]}' here; {takes}"
            raise InvalidQuery(name[:MAX_NAME], message)


@cache
def _names_of(kind: type[QueryParameters] | None) -> frozenset[str]:
    """Return the names of the parameters of a query."""
    return frozenset(each.name for each in members_of(kind)) if kind else frozenset()


def parse_seconds(text: str) -> float | None:
    """Return the number of seconds, or None when the text is not one."""
    return float(text) if SECONDS.fullmatch(text) else None


def _read_values(scope: Scope) -> Values:
    """Return the values of a query by name."""
    values: Values = {}
    text = scope["query_string"]
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True) if text else ():
        values.setdefault(name, []).append(value)
    return values


def _parse_member(member: Member, texts: list[str]) -> Any:
    name = member.name
    if get_origin(member.bare) is list:
        value: Any = texts
    elif len(texts) > 1:
        raise InvalidQuery(name, f"The query has more than one '{name}'")
    else:
        value = _decode_text(texts[0], member.bare)
    try:
        return member.convert(value)
    except ValueError as error:
        raise InvalidQuery(name, f"'{name}' {error}") from None


def _decode_text(text: str, kind: Any) -> Any:
    """Return the number or flag that a text stands for; other texts are returned as they are.

    None is the type of a number or a name.
    """
    if kind is bool:
        return FLAGS.get(text, text)
    if kind in (int, None) and INTEGER.fullmatch(text):
        return int(text)
    if kind is float and SECONDS.fullmatch(text):
        return float(text)
    return text
