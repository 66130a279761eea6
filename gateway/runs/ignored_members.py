"""Warnings about members of a run's body that are ignored."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from engine.values.ignored_names import warn_of_ignored
from gateway.http.types import RequestBody, members_of


def ignored_members(kind: type[RequestBody], body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return warnings about the members of a body that its type lacks."""
    known = _names_of(kind)
    if body.keys() <= known.keys():
        return ()
    return warn_of_ignored("member", body, known, f"the body takes {', '.join(known)}")


@cache
def _names_of(kind: type[RequestBody]) -> dict[str, None]:
    """Return the names of a body's members, in their order."""
    return dict.fromkeys(each.name for each in members_of(kind))
