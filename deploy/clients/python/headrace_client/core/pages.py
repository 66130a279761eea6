"""Lists that come in pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from headrace_client.core.decoding import camel, decode
from headrace_client.core.effects import Emit, Flow, Query, Request
from headrace_client.core.session import Session

T = TypeVar("T")


def query_of(options: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Query:
    """Return query parameters; None is left out, and a list repeats its parameter.

    `names` has the parameters that are not the camel case of their options.
    """
    return tuple(
        ((names or {}).get(name, camel(name)), _text(each))
        for name, value in options.items()
        for each in _values(value)
    )


def _values(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        return (value,)
    return value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def iterate_pages(session: Session, kind: type[T], path: str, query: Query = ()) -> Flow[None]:
    """Emit each row of all pages; each page has the timeout of a call."""
    cursor: str | None = None
    while True:
        at = () if cursor is None else (("cursor", cursor),)
        request = Request(method="GET", path=path, query=query + at)
        page = yield from session.fetch(request, session.deadline())
        for row in page["rows"]:
            yield Emit(decode(kind, row))
        cursor = page.get("nextCursor")
        if cursor is None:
            return
