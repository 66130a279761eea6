"""Filters of executions in queries, as `GET /api/executions` and the like take them."""

from engine.access.capabilities import MODEL_NAME
from engine.errors import InvalidQuery
from engine.executions.execution import ExecutionStatus
from engine.executions.sources import Source
from engine.store import ExecutionFilter
from engine.store.executions.filters import ID_START, NONE
from engine.values.plain import parse_moment
from gateway.http.query import MAX_NAME, MAX_VERSION, Query
from gateway.http.types import Parameter
from gateway.openapi.examples import CREATED, EXECUTION_ID, KEY_ID, REQUEST_ID
from gateway.openapi.parameters import WORKFLOW
from gateway.openapi.schema import INTEGER, MOMENT, TEXT, described, matching, one_of

STATUSES: Parameter = (
    "status",
    described(
        {"type": "array", "items": one_of(ExecutionStatus)},
        "Only executions with this status, or with one of these if it is repeated.",
        ["completed"],
    ),
)
SOURCE: Parameter = (
    "source",
    described(one_of(Source), "Only executions from this source.", "api-workflow"),
)
KEY: Parameter = (
    "keyId",
    described(
        TEXT,
        f"Only executions that were begun with the key of this id; `{NONE}`: without a key.",
        KEY_ID,
    ),
)
MODEL_OR_NONE: Parameter = (
    "modelId",
    described(
        matching(rf"{MODEL_NAME}|{NONE}"),
        f"Only executions that called this model; `{NONE}`: that called none.",
        "echo",
    ),
)
REQUEST: Parameter = (
    "httpRequestId",
    described(TEXT, "Only executions whose request had this `X-Request-Id`.", REQUEST_ID),
)
ERROR_CODE: Parameter = (
    "errorCode",
    described(TEXT, "Only executions that failed with this code.", "EXECUTION_FAILED"),
)
FILTERED_VERSION: Parameter = (
    "version",
    described(
        {**INTEGER, "minimum": 1, "maximum": MAX_VERSION},
        "Only executions of this version of a workflow.",
        3,
    ),
)
FROM: Parameter = (
    "from",
    described(MOMENT, "Only executions that were created at this time or later.", CREATED),
)
TO: Parameter = (
    "to",
    described(MOMENT, "Only executions that were created before this time.", CREATED),
)
ID_BEGIN: Parameter = (
    "q",
    described(matching(ID_START.pattern), "Only executions whose id begins so.", EXECUTION_ID[:8]),
)
FILTERS = (
    *(STATUSES, WORKFLOW, SOURCE, KEY, MODEL_OR_NONE, ERROR_CODE, FILTERED_VERSION),
    *(FROM, TO, ID_BEGIN, REQUEST),
)
"""Parameters of all filters."""


def read_filter(query: Query) -> ExecutionFilter:
    """Return the filters of a query. Raises InvalidQuery."""
    start = query.text("q")
    if start is not None and ID_START.fullmatch(start) is None:
        raise InvalidQuery("q", "'q' must be the start of an execution's id")
    return ExecutionFilter(
        statuses=query.choices("status", ExecutionStatus),
        workflow_slug=query.slug("workflowSlug"),
        version=query.version(),
        source=query.choice("source", Source),
        key_id=_name(query, "keyId"),
        model_id=NONE if query.text("modelId") == NONE else query.model("modelId"),
        http_request_id=_name(query, "httpRequestId"),
        error_code=_name(query, "errorCode"),
        created_from=read_moment(query, "from"),
        created_to=read_moment(query, "to"),
        id_start=start or "",
    )


def read_moment(query: Query, name: str) -> int | None:
    """Return a time in milliseconds, None when it is absent. Raises InvalidQuery."""
    value = query.text(name)
    if value is None:
        return None
    at = parse_moment(value)
    if at is None:
        raise InvalidQuery(name, f"'{name}' must be a time with a zone, such as {CREATED}")
    return at


def _name(query: Query, name: str) -> str | None:
    value = query.text(name)
    if value is not None and not 1 <= len(value) <= MAX_NAME:
        raise InvalidQuery(name, f"'{name}' must have 1 to {MAX_NAME} characters")
    return value
