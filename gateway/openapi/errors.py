"""Schemas of errors: one for each code, derived from errors as they are sent."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from engine import errors
from engine.errors import ERRORS, EngineError
from gateway.http.errors import error_response, internal_error, method_not_allowed, plain_error
from gateway.http.protocol import CODES
from gateway.http.types import Schema, View
from gateway.openapi.components import schema_of
from gateway.openapi.schema import FLAG, INTEGER, TEXT, TEXTS, members

NAMELESS = "UNAUTHORIZED"
"""Name in the document for the one error without a code."""
SAMPLES: tuple[EngineError, ...] = tuple(
    sample for error in ERRORS for sample in vars(error).get("examples", ())
)
"""Examples of every error that a caller can see, one for each set of members."""
REFUSALS: tuple[Response, ...] = (
    *(error_response(sample) for sample in SAMPLES),
    internal_error(),
    method_not_allowed("GET, HEAD"),
    plain_error(400, "This is not a well-formed HTTP request", CODES[400]),
    plain_error(408, "The request's body took too long", CODES[408]),
    plain_error(431, "The request's head is over 32768 bytes", CODES[431]),
    plain_error(501, "The only transfer encoding that is taken is 'chunked' alone", CODES[501]),
)
"""The answers of SAMPLES, and those that are no EngineError."""


class ProblemView(View):
    """One fault of a graph or a manifest, and its place."""

    reason: str
    node_id: str | UnsetType = UNSET
    edge_id: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    path: str | UnsetType = UNSET


class WrongItemView(View):
    """One item of a batch whose inputs do not fit, and its first fault."""

    index: int
    field: str
    reason: str


KINDS: dict[type, Schema] = {
    str: TEXT,
    int: INTEGER,
    bool: FLAG,
    list: schema_of(list[ProblemView]),
}
"""Schemas of the values beside `error` and `code`."""
TRACE: Schema = {**TEXT, "description": "The trace of the request, if it belongs to one."}
WRONG_ITEMS = schema_of(list[WrongItemView])


def name_of(error: type[EngineError]) -> str:
    """Return the name of an error in the document: its code, for all but one."""
    return error.code or NAMELESS


def _refusals() -> Iterator[tuple[str, Response, dict[str, Any]]]:
    for refusal in REFUSALS:
        body = msgspec.json.decode(refusal.body)
        yield body.get("code", NAMELESS), refusal, body


STATUSES: dict[str, int] = {name: refusal.status_code for name, refusal, _ in _refusals()}
ERROR_EXAMPLES: dict[str, list[dict[str, Any]]] = {
    name: [body for other, _, body in _refusals() if other == name] for name in STATUSES
}
HEADERS: dict[str, dict[str, Any]] = {
    "Retry-After": {"schema": INTEGER, "description": "Seconds until trying again makes sense."},
    "WWW-Authenticate": {"schema": TEXT, "description": "Scheme of the credentials to send."},
}
ERROR_HEADERS: dict[str, dict[str, Any]] = {
    name: {key: each for key, each in HEADERS.items() if key.lower() in refusal.headers}
    for name, refusal, _ in _refusals()
}
"""By code."""
EVERYWHERE: tuple[str, ...] = (
    *CODES.values(),
    *(name_of(error) for error in (errors.InvalidBody, errors.BodyTooLarge, errors.EngineError)),
)
"""Errors that any request can be answered with."""


def _kind(value: Any) -> Schema:
    if isinstance(value, list) and value and isinstance(value[0], str):
        return TEXTS
    if isinstance(value, list) and value and "index" in value[0]:
        return WRONG_ITEMS
    return KINDS[type(value)]


def _schema(name: str) -> Schema:
    """Return the schema of all bodies with this code."""
    bodies = ERROR_EXAMPLES[name]
    shown = {member: _kind(value) for body in bodies for member, value in body.items()}
    if name != NAMELESS:
        shown["code"] = {"const": name}
    always = {member for member in shown if all(member in body for body in bodies)}
    shown["traceId"] = TRACE
    optional = {member: schema for member, schema in shown.items() if member not in always}
    return members(optional, **{member: shown[member] for member in shown if member in always})


SCHEMAS: dict[str, Schema] = {name: _schema(name) for name in sorted(STATUSES)}
"""Schema of each code's body."""
