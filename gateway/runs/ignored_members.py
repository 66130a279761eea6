"""Warnings about members of a run's body that are ignored."""

from collections.abc import Mapping
from typing import Any

from engine.values.ignored_names import warn_of_ignored
from gateway.http.types import RequestBody, members_of


def ignored_members(kind: type[RequestBody], body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return warnings about the members of a body that its type lacks."""
    known = [each.name for each in members_of(kind)]
    if body.keys() <= set(known):
        return ()
    return warn_of_ignored("member", body, known, f"the body takes {', '.join(known)}")
