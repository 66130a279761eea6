"""Headers that are noted during a request and sent with its answer, an error included."""

from starlette.types import Scope

from gateway.admission.request_context import context_of

NO_STORE = (b"cache-control", b"no-store")
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""Sent with every answer: none is another type than it says."""


def forbid_storing(scope: Scope) -> None:
    """Forbid browsers and caches to store the answer."""
    context_of(scope).headers.append(NO_STORE)


def note(scope: Scope, **headers: object) -> None:
    """Note headers for the answer: `retry_after=5` is `retry-after: 5`."""
    noted = context_of(scope).headers
    for name, value in headers.items():
        noted.append((name.replace("_", "-").encode(), str(value).encode()))
