"""Headers that are added during a request and sent with its answer, an error included."""

from starlette.types import Scope

from gateway.admission.request_context import context_of

NO_STORE = (b"cache-control", b"no-store")
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""Sent with every answer: none is another type than it says."""


def forbid_storing(scope: Scope) -> None:
    """Forbid browsers and caches to store the answer."""
    context_of(scope).headers.append(NO_STORE)


def add(scope: Scope, **headers: object) -> None:
    """Add headers to the answer: `retry_after=5` is `retry-after: 5`."""
    headers_so_far = context_of(scope).headers
    for name, value in headers.items():
        headers_so_far.append((name.replace("_", "-").encode(), str(value).encode()))
