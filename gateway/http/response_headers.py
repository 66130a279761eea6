"""Headers that are noted during a request and sent with its answer, an error included."""

from starlette.types import Scope

Headers = list[tuple[bytes, bytes]]
KEY = "answer_headers"
STATUS = "answer_status"
REQUEST_ID = b"x-request-id"
NO_STORE = (b"cache-control", b"no-store")
NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""Sent with every answer: none is another type than it says."""


def begin(scope: Scope) -> Headers:
    """Return the list that collects headers for the answer from now on."""
    headers: Headers = [NO_SNIFFING]
    scope[KEY] = headers
    return headers


def note_sent(scope: Scope, status: int) -> None:
    """Note that an answer with this status has begun to be sent."""
    scope[STATUS] = status


def sent_status(scope: Scope) -> int:
    """Return the status of the answer, 0 until it has begun to be sent."""
    status: int = scope.get(STATUS, 0)
    return status


def request_id(scope: Scope) -> str:
    """Return the id of the request, which its answer carries."""
    noted: Headers = scope[KEY]
    return next(value.decode() for name, value in noted if name == REQUEST_ID)


def forbid_storing(scope: Scope) -> None:
    """Forbid browsers and caches to store the answer."""
    noted: Headers = scope[KEY]
    noted.append(NO_STORE)


def note(scope: Scope, **headers: object) -> None:
    """Note headers for the answer: `retry_after=5` is `retry-after: 5`."""
    noted: Headers = scope[KEY]
    for name, value in headers.items():
        noted.append((name.replace("_", "-").encode(), str(value).encode()))
