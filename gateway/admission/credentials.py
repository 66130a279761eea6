"""Credentials that a request presents: API keys and the session cookie, not yet verified."""

from starlette.types import Scope

KEY_HEADER = b"x-api-key"
SESSION_COOKIE = "headrace_session"


def presented_keys(scope: Scope) -> list[str]:
    """Return the API keys in the headers: one, unless something is wrong."""
    return header_values(scope, KEY_HEADER)


def session_token(scope: Scope) -> str | None:
    """Return the token in the session cookie; None when there is not exactly one."""
    found = [
        value
        for header in header_values(scope, b"cookie")
        for name, _, value in (pair.strip().partition("=") for pair in header.split(";"))
        if name == SESSION_COOKIE
    ]
    return found[0] if len(found) == 1 else None


def header_value(scope: Scope, name: bytes) -> str | None:
    """Return the first value of a header, None without one; the name is in lower case."""
    for each, value in scope["headers"]:
        if each == name:
            found: str = value.decode("latin-1")
            return found
    return None


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return every value of a header, in their order; the name is in lower case."""
    return [value.decode("latin-1") for each, value in scope["headers"] if each == name]
