"""What the route table does not say of its endpoints."""

from dataclasses import dataclass, field, replace

from engine import errors
from engine.errors import EngineError
from gateway.description.bodies import BODIES
from gateway.description.examples import EXAMPLES
from gateway.description.links import LINKS
from gateway.description.parameters import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    LAST_EVENT_ID,
    PREFER,
)
from gateway.description.schema import Schema
from gateway.description.shapes import COMPONENTS
from gateway.endpoints import Endpoint, Operation
from gateway.http.types import JSON, Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One endpoint; answers are component names by status.

    Errors that follow from what the endpoint demands of its caller need not be named.
    """

    answers: dict[int, str]
    also: dict[str, str] = field(default_factory=dict)
    """Other media types than JSON that a 200 may have, with their components."""
    body: str | None = None
    query: tuple[tuple[str, Schema], ...] = ()
    headers: tuple[str, ...] = ()
    errors: tuple[type[EngineError], ...] = ()


SCHEMA_JSON = "application/schema+json"
TABLE: dict[str, Row] = {
    "list_workflows": Row(answers={200: "WorkflowList"}),
    "create_workflow": Row(
        answers={201: "Workflow"},
        body="WorkflowDocument",
        errors=(errors.InvalidGraph, errors.QuotaExceeded),
    ),
    "get_workflow": Row(answers={200: "Workflow"}, errors=(errors.WorkflowNotFound,)),
    "update_workflow": Row(
        answers={200: "Workflow"},
        body="WorkflowUpdate",
        headers=("If-Match",),
        errors=(
            errors.InvalidGraph,
            errors.NotOwner,
            errors.WorkflowNotFound,
            errors.VersionConflict,
            errors.QuotaExceeded,
        ),
    ),
    "delete_workflow": Row(
        answers={200: "Deleted"}, errors=(errors.NotOwner, errors.WorkflowNotFound)
    ),
    "get_schema": Row(
        answers={200: "Schema"},
        also={SCHEMA_JSON: "JsonSchema"},
        errors=(errors.WorkflowNotFound, errors.WorkflowNotRunnable),
    ),
    "get_workflow_openapi": Row(
        answers={200: "OpenApi"}, errors=(errors.WorkflowNotFound, errors.WorkflowNotRunnable)
    ),
    "get_public_schema": Row(
        answers={200: "PublicSchema"},
        also={SCHEMA_JSON: "JsonSchema"},
        errors=(errors.WorkflowNotFound, errors.Unavailable),
    ),
    "sign_out": Row(answers={200: "Deleted"}),
    "healthz": Row(answers={200: "Status"}),
    "openapi": Row(answers={200: "OpenApi"}),
    "show_docs": Row(answers={200: "Page"}),
    "show_home": Row(answers={200: "Page"}),
    "metrics": Row(answers={200: "Metrics"}),
    "readyz": Row(answers={200: "Readiness"}, errors=(errors.Unavailable,)),
}
"""By the name of the handler. The pages that sign browsers in have none."""

MEDIA_TYPES = {
    "Page": "text/html",
    "Metrics": "text/plain",
    "AssetForm": "multipart/form-data",
    "Media": "*/*",
    "Event": "text/event-stream",
}
"""Of shapes that are not JSON."""
SHAPE_HEADERS = {"Workflow": {"ETag": "The version, in quotes."}}
TABLE_SHAPES = {
    name: Content(
        component=name,
        kind=None,
        media_type=MEDIA_TYPES.get(name, JSON),
        examples=tuple(EXAMPLES.get(name, ())),
        headers=SHAPE_HEADERS.get(name, {}),
        links=LINKS.get(name, {}),
        schema=schema,
    )
    for name, schema in {**BODIES, **COMPONENTS}.items()
}
SCHEMA_CONTENT = replace(TABLE_SHAPES["JsonSchema"], media_type=SCHEMA_JSON)


HEADERS = dict([PREFER, IDEMPOTENCY_KEY, LAST_EVENT_ID, IF_MATCH])


def operation_of(endpoint: Endpoint) -> Operation | None:
    """The description of an endpoint, its own or that of the table."""
    row = TABLE.get(endpoint.handler.__name__)
    if endpoint.operation is not None or row is None:
        return endpoint.operation
    also = tuple(
        SCHEMA_CONTENT if each == SCHEMA_JSON else TABLE_SHAPES[row.also[each]] for each in row.also
    )
    return Operation(
        answers={
            status: (TABLE_SHAPES[name], *(also if status == 200 else ())) if name else None
            for status, name in row.answers.items()
        },
        body=TABLE_SHAPES[row.body] if row.body else None,
        path=(),
        query=row.query,
        headers=tuple((name, HEADERS[name]) for name in row.headers),
        errors=row.errors,
    )
