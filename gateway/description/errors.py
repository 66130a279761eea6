"""What every error looks like: one shape for each code, drawn from errors as they are sent."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from starlette.responses import Response

from engine import errors
from engine.errors import EngineError
from gateway.description.schema import (
    INTEGER,
    TEXT,
    Schema,
    list_of,
    members,
    ref,
)
from gateway.errors import error_response, internal_error, method_not_allowed, plain_error
from gateway.protocol import CODES

NAMELESS = "UNAUTHORIZED"
"""What the one error without a code is called here."""
EXECUTION_ID = "7f9c24e8-3b12-4fef-91e0-5c0e2b8f1a6d"
PROBLEMS = [
    {"nodeId": "text", "reason": "The placeholder 'name' has no wire"},
    {"edgeId": "text-out", "reason": "There is no node 'out'"},
]
SAMPLES: tuple[EngineError, ...] = (
    errors.EngineError("The execution failed", executionId=EXECUTION_ID),
    errors.InvalidBody("The body must be a JSON object"),
    errors.InvalidBody("'inputs' must be an object", field="inputs"),
    errors.InvalidQuery("limit", "'limit' must be a whole number from 1 to 500"),
    errors.InvalidInputs("name", "is required"),
    errors.InvalidSlug("A slug has 1 to 64 characters out of a-z, 0-9 and '-'"),
    errors.InvalidCapability("'workflow:fly' is not a capability"),
    errors.InvalidGraph(PROBLEMS),
    errors.InvalidWebhook("url", "The URL must begin with https://"),
    errors.InvalidIdempotencyKey(),
    errors.Unauthorized(),
    errors.CapabilityDenied("workflow:run"),
    errors.CapabilityAboveCeiling("model:run", "pro"),
    errors.ApiKeyAccessDenied("free"),
    errors.AccountNotApproved(),
    errors.NotOwner(),
    errors.SessionRequired(),
    errors.CsrfFailed("This write comes from another site"),
    errors.NotFound("There is nothing at this path"),
    errors.WorkflowNotFound(),
    errors.ExecutionNotFound(),
    errors.ExecutionNotCancellable("completed"),
    errors.ExecutionCancelled(EXECUTION_ID),
    errors.WorkflowNotRunnable(PROBLEMS),
    errors.IdempotencyKeyInUse(EXECUTION_ID),
    errors.IdempotencyKeyReused(),
    errors.VersionConflict(4),
    errors.BodyTooLarge(1_048_576),
    errors.RateLimitExceeded("pro", 100, 17),
    errors.TooManyExecutions("pro", 50),
    errors.ExecutionFailed(
        "The server answered 502",
        nodeId="call",
        nodeType="httpRequest",
        reason="http_status",
        executionId=EXECUTION_ID,
    ),
    errors.Unavailable(),
    errors.StoreFull(),
    errors.QueueFull(),
)
"""Every error that a caller can see, with and without what only some of its kind say."""
REFUSALS: tuple[Response, ...] = (
    *(error_response(sample) for sample in SAMPLES),
    internal_error(),
    method_not_allowed("GET, HEAD"),
    plain_error(400, "This is not a well-formed HTTP request", CODES[400]),
    plain_error(408, "The request's body took too long", CODES[408]),
    plain_error(431, "The request's head is over 32768 bytes", CODES[431]),
)
"""The same as they are sent, and those that are no EngineError."""
CONTEXT: dict[str, Schema] = {
    "attempted": TEXT,
    "executionId": TEXT,
    "field": TEXT,
    "limit": INTEGER,
    "nodeId": TEXT,
    "nodeType": TEXT,
    "problems": list_of(ref("Problem")),
    "reason": TEXT,
    "required": TEXT,
    "retryAfter": INTEGER,
    "status": TEXT,
    "tier": TEXT,
    "version": INTEGER,
}
"""What may stand beside `error` and `code`."""


def name_of(error: type[EngineError]) -> str:
    """What an error is called in the description: its code, for all but one."""
    return error.code or NAMELESS


def status_of(name: str) -> int:
    """The status that goes with a code."""
    return STATUSES[name]


def _bodies() -> Iterator[tuple[str, int, dict[str, Any]]]:
    for refusal in REFUSALS:
        body = msgspec.json.decode(refusal.body)
        yield body.get("code", NAMELESS), refusal.status_code, body


STATUSES: dict[str, int] = {name: status for name, status, _ in _bodies()}
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    name: [body for other, _, body in _bodies() if other == name] for name in STATUSES
}
"""Bodies by code."""
EVERYWHERE: tuple[str, ...] = (
    *CODES.values(),
    *(name_of(error) for error in (errors.InvalidBody, errors.BodyTooLarge, errors.EngineError)),
)
"""What any request can be answered, whatever it asks for."""


def _schema(bodies: Iterable[dict[str, Any]]) -> Schema:
    """The shape that all of these bodies have."""
    names = [body.keys() for body in bodies]
    required = set.intersection(*map(set, names))
    known = {"error": TEXT, **CONTEXT}
    properties = {name: known[name] for each in names for name in each if name != "code"}
    optional = {name: schema for name, schema in properties.items() if name not in required}
    always = {name: schema for name, schema in properties.items() if name in required}
    return members(optional, **always)


def _coded(name: str) -> Schema:
    schema = _schema(EXAMPLES[name])
    if name != NAMELESS:
        schema["properties"] = {"code": {"const": name}} | schema["properties"]
        schema["required"] = ["code", *schema["required"]]
    return schema


SCHEMAS: dict[str, Schema] = {name: _coded(name) for name in sorted(STATUSES)}
"""The shape of each code's body."""
