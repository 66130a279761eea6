"""Schemas of errors: one for each code, derived from errors as they are sent."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from engine import errors
from engine.errors import EngineError
from gateway.http.errors import error_response, internal_error, method_not_allowed, plain_error
from gateway.http.protocol import CODES
from gateway.http.types import Schema, View
from gateway.openapi.components import schema_of
from gateway.openapi.examples import EXECUTION_ID
from gateway.openapi.schema import FLAG, INTEGER, TEXT, members

NAMELESS = "UNAUTHORIZED"
"""Name in the document for the one error without a code."""
PROBLEMS = [
    {"nodeId": "text", "reason": "The placeholder 'name' has no wire"},
    {"edgeId": "text-out", "reason": "There is no node 'out'"},
]
MANIFEST_PROBLEMS = [{"line": 4, "reason": "tier must be one of free, pro"}]
FAILED_NODE = {"nodeId": "call", "nodeType": "httpRequest", "executionId": EXECUTION_ID}
MODEL_NODE = {"nodeId": "picture", "nodeType": "customModel", "executionId": EXECUTION_ID}
FAILED = "The server answered 502"
UNPAID = "This needs 35 credits more and the balance is 85"
OVER = "The run would pass 'max_credits' here"
SAMPLES: tuple[EngineError, ...] = (
    errors.EngineError("The execution failed", executionId=EXECUTION_ID),
    errors.InvalidBody("The body must be a JSON object"),
    errors.InvalidBody("'inputs' must be an object", field="inputs"),
    errors.InvalidBody("The manifest has 1 problem", field="manifest", problems=MANIFEST_PROBLEMS),
    errors.InvalidQuery("limit", "'limit' must be a whole number from 1 to 500"),
    errors.InvalidInputs("name", "is required"),
    errors.InvalidSlug("A slug has 1 to 64 characters out of a-z, 0-9 and '-'"),
    errors.InvalidCapability("'workflow:fly' is not a capability"),
    errors.InvalidGraph(PROBLEMS),
    errors.InvalidWebhook("url", "The URL must begin with https://"),
    errors.InvalidIdempotencyKey(),
    errors.Unauthorized(),
    errors.InsufficientCredits(120, 85),
    errors.CreditsRanOut(f"Node 'picture' did not run: {UNPAID}", **MODEL_NODE, reason=UNPAID),
    errors.GrantExhausted("photo-fast"),
    errors.MaxCreditsExceeded(
        "This may cost 120 credits, over the 100 of 'max_credits'", maxCredits=100, estimate=120
    ),
    errors.MaxCreditsExceeded(f"Node 'picture' did not run: {OVER}", **MODEL_NODE, reason=OVER),
    errors.ModelTierRequired("photo-pro", "business", "pro"),
    errors.ModelNotFound(),
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
    errors.AssetNotFound(),
    errors.ExecutionNotCancellable("completed"),
    errors.ExecutionCancelled(EXECUTION_ID),
    errors.WorkflowNotRunnable(PROBLEMS),
    errors.IdempotencyKeyInUse(EXECUTION_ID),
    errors.IdempotencyKeyReused(),
    errors.VersionConflict(4),
    errors.BodyTooLarge(1_048_576),
    errors.MediaQuotaExceeded(21_474_000_000, 21_474_836_480),
    errors.QuotaExceeded("workflows", used=1_000, limit=1_000),
    errors.QuotaExceeded("documentBytes", used=199_900_000, limit=200_000_000),
    errors.UnsupportedMediaType("The file is image/png, not image/jpeg as it is declared"),
    errors.RateLimitExceeded("pro", 100, 17),
    errors.TooManyExecutions("pro", 50),
    errors.TooManyFailedCalls(300, 17),
    errors.ExecutionFailed(
        f"Node 'call' failed: {FAILED}",
        **FAILED_NODE,
        nodeCode="http_status",
        reason=FAILED,
        retryable=True,
    ),
    errors.ResultGone(EXECUTION_ID),
    errors.LoopDetected(8),
    errors.Unavailable(),
    errors.StoreFull(),
    errors.WrongStore("The Redis holds no Headrace installation.", "Run `headrace init`."),
    errors.QueueFull(),
    errors.ExecutionLost(EXECUTION_ID),
    errors.StorageFailed(),
    errors.StorageStalled(),
    errors.ResultUnreadable(EXECUTION_ID),
)
"""Every error that a caller can see, with and without its optional members."""
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


KINDS: dict[type, Schema] = {
    str: TEXT,
    int: INTEGER,
    bool: FLAG,
    list: schema_of(list[ProblemView]),
}
"""Schemas of the values beside `error` and `code`."""


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
    "WWW-Authenticate": {"schema": TEXT, "description": "How to say who calls."},
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


def _schema(name: str) -> Schema:
    """Return the schema of all bodies with this code."""
    bodies = ERROR_EXAMPLES[name]
    shown = {member: KINDS[type(value)] for body in bodies for member, value in body.items()}
    if name != NAMELESS:
        shown["code"] = {"const": name}
    always = {member for member in shown if all(member in body for body in bodies)}
    optional = {member: schema for member, schema in shown.items() if member not in always}
    return members(optional, **{member: shown[member] for member in shown if member in always})


SCHEMAS: dict[str, Schema] = {name: _schema(name) for name in sorted(STATUSES)}
"""Schema of each code's body."""
