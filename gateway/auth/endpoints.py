"""Declarations of endpoints: the requirement on the caller of a handler, and its description.

No handler stands without a requirement.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from engine.errors import EngineError
from gateway.auth.guard import (
    Guarded,
    GuardedHandler,
    Operation,
    Public,
    PublicHandler,
    SessionOnly,
)
from gateway.http.query import QueryParameters
from gateway.http.types import Parameter, Shape

NO_BODY = None
"""Marks an answer that has no body."""

Known = TypeVar("Known", "Guarded", "SessionOnly")
Declared = TypeVar("Declared", "Public", "Guarded", "SessionOnly")


def public(handler: PublicHandler) -> Public:
    """Declare an endpoint without authentication."""
    return Public(handler)


def guessed(handler: PublicHandler) -> Public:
    """Declare an endpoint without authentication whose failed calls count against the address."""
    return Public(handler, is_guessed=True)


def session_only(handler: GuardedHandler) -> SessionOnly:
    """Declare an endpoint for signed-in browsers."""
    return SessionOnly(handler)


def admins_only(handler: GuardedHandler) -> SessionOnly:
    """Declare an endpoint for browsers that an admin is signed in with."""
    return SessionOnly(handler, is_admins=True)


def any_key(handler: GuardedHandler) -> Guarded:
    """Declare an endpoint for every key, whatever its capabilities, and for sessions."""
    return Guarded(handler, None)


def requires(
    capability: str,
    *alternatives: str,
    also: str | None = None,
    named: str | None = None,
    bucket: str | None = None,
) -> Callable[[GuardedHandler], Guarded]:
    """Declare the capability that the endpoint requires; see `Guarded`."""

    def declare(handler: GuardedHandler) -> Guarded:
        return Guarded(handler, capability, alternatives, also, named, bucket)

    return declare


def counted_by_handler(endpoint: Guarded) -> Guarded:
    """Declare that the handler counts the call itself, by `count_call`."""
    return replace(endpoint, is_counted_by_handler=True)


def checked_by_handler(endpoint: Guarded) -> Guarded:
    """Declare that the handler calls `check_capability` for the run that its record names.

    A caller without any capability to run is refused before.
    """
    return replace(endpoint, is_checked_by_handler=True)


def before_approval(endpoint: Known) -> Known:
    """Let accounts that are not approved call the endpoint, although it writes."""
    return replace(endpoint, is_before_approval=True)


def in_turns(endpoint: Guarded) -> Guarded:
    """Let an account have few calls of such endpoints at a time; further ones wait."""
    return replace(endpoint, is_in_turns=True)


def operation(
    *,
    answers: Mapping[int, Shape | tuple[Shape, ...] | None],
    body: Shape | None = None,
    path: tuple[Parameter, ...] = (),
    query: type[QueryParameters] | None = None,
    headers: tuple[Parameter, ...] = (),
    errors: tuple[type[EngineError], ...] = (),
) -> Callable[[Declared], Declared]:
    """Describe an endpoint; the OpenAPI document is built from this description and the types.

    `answers` maps each status to its body, several bodies for several media types, or `NO_BODY`.
    Under `/api/`, query parameters that `query` lacks are refused. `path` holds the path
    parameters that `PATHS` lacks, and `errors` those that do not follow from the requirement.
    """
    described = Operation(
        answers=answers, body=body, path=path, query=query, headers=headers, errors=errors
    )

    def declare(endpoint: Declared) -> Declared:
        return replace(endpoint, operation=described)

    return declare
