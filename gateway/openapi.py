"""The OpenAPI document, built from the route table."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.routing import BaseRoute, Route

from gateway.browsers import COOKIE
from gateway.endpoints import Endpoint, Guarded, Public, Resource, SessionOnly
from gateway.shapes import COMPONENTS, INTEGER, NUMBER, TEXT, Schema, ref

PARAMETER = re.compile(r"{(\w+)}")
GUARD_ERRORS = frozenset({401, 403, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the route table does not say of an endpoint; answers are component names by status."""

    answers: dict[int, str]
    body: str | None = None
    query: tuple[tuple[str, Schema], ...] = ()
    headers: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()


STATUS: Schema = COMPONENTS["ExecutionRow"]["properties"]["status"]
ASYNC: Schema = {"type": "boolean", "default": False}
LIMIT: Schema = {**INTEGER, "minimum": 1, "maximum": 500, "default": 50}
LIMIT_HEADERS = {
    name: {"schema": schema}
    for name, schema in (
        ("X-RateLimit-Limit", INTEGER),
        ("X-RateLimit-Remaining", INTEGER),
        ("X-RateLimit-Reset", INTEGER),
        ("RateLimit", TEXT),
        ("RateLimit-Policy", TEXT),
    )
}
"""On each answer of a limited route, once the account is known to be limited."""
OPERATIONS: dict[str, Operation] = {
    "run_workflow": Operation(
        answers={200: "RunResult", 202: "Accepted"},
        body="RunRequest",
        query=(("async", ASYNC), ("timeout", {**NUMBER, "minimum": 0})),
        headers=("Prefer", "Idempotency-Key"),
        errors=(400, 404, 409, 413, 422, 429, 500),
    ),
    "list_executions": Operation(
        answers={200: "ExecutionPage"},
        query=(("status", STATUS), ("workflowSlug", TEXT), ("limit", LIMIT), ("cursor", TEXT)),
        errors=(400,),
    ),
    "get_execution": Operation(answers={200: "Execution"}, errors=(404,)),
    "cancel_execution": Operation(answers={202: "CancelRequested"}, errors=(404, 409)),
    "list_workflows": Operation(answers={200: "WorkflowList"}),
    "create_workflow": Operation(
        answers={201: "Workflow"}, body="WorkflowDocument", errors=(400, 413)
    ),
    "get_workflow": Operation(answers={200: "Workflow"}, errors=(400, 404)),
    "update_workflow": Operation(
        answers={200: "Workflow"},
        body="WorkflowUpdate",
        headers=("If-Match",),
        errors=(400, 404, 412, 413),
    ),
    "delete_workflow": Operation(answers={200: "Deleted"}, errors=(400, 404)),
    "get_schema": Operation(answers={200: "Schema"}, errors=(400, 404, 409)),
    "get_public_schema": Operation(answers={200: "PublicSchema"}, errors=(400, 404)),
    "whoami": Operation(answers={200: "WhoAmI"}),
    "me": Operation(answers={200: "WhoAmI"}),
    "list_api_keys": Operation(answers={200: "ApiKeyList"}),
    "create_api_key": Operation(
        answers={201: "CreatedApiKey"}, body="ApiKeyRequest", errors=(400, 413)
    ),
    "delete_api_key": Operation(answers={200: "Deleted"}, errors=(404,)),
    "get_webhook": Operation(answers={200: "Webhook"}, errors=(404,)),
    "put_webhook": Operation(
        answers={200: "SavedWebhook"}, body="WebhookRequest", errors=(400, 404, 413)
    ),
    "delete_webhook": Operation(answers={200: "Deleted"}, errors=(404,)),
    "send_test_event": Operation(answers={202: "Delivery"}, errors=(400, 404)),
    "list_deliveries": Operation(
        answers={200: "DeliveryPage"},
        query=(("limit", LIMIT), ("cursor", TEXT)),
        errors=(400, 404),
    ),
    "redeliver": Operation(answers={202: "Delivery"}, errors=(400, 404)),
    "sign_out": Operation(answers={200: "Deleted"}),
    "healthz": Operation(answers={200: "Status"}),
    "readyz": Operation(answers={200: "Status"}, errors=(503,)),
}
"""By the name of the handler. Handlers that answer with something else than JSON have none."""


def make_document(routes: Iterable[BaseRoute], version: str) -> dict[str, Any]:
    """The document for these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if isinstance(route, Route) and isinstance(route.endpoint, Resource):
            for method, endpoint in route.endpoint.endpoints.items():
                name = endpoint.handler.__name__
                if name in OPERATIONS:
                    described = _describe(route.path, endpoint, OPERATIONS[name])
                    paths.setdefault(route.path, {})[method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headrace", "version": version},
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _describe(path: str, endpoint: Endpoint, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": (endpoint.handler.__doc__ or "").split("\n")[0],
        "parameters": [*_parameters(path, operation)],
        "responses": _responses(endpoint, operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(ref(operation.body))}
    if not isinstance(endpoint, Public):
        described["security"] = _security(endpoint)
        described["description"] = f"Needs: {endpoint.demand}"
    return described


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    schemes = ("session",) if isinstance(endpoint, SessionOnly) else ("key", "session")
    return [{scheme: []} for scheme in schemes]


def _parameters(path: str, operation: Operation) -> Iterable[dict[str, Any]]:
    for name in PARAMETER.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": TEXT}
    for name, schema in operation.query:
        yield {"name": name, "in": "query", "schema": schema}
    for name in operation.headers:
        yield {"name": name, "in": "header", "schema": TEXT}


def _responses(endpoint: Endpoint, operation: Operation) -> dict[str, Any]:
    responses = {
        str(status): {"description": "As asked", "content": _json(ref(name))}
        for status, name in operation.answers.items()
    }
    guard = frozenset() if isinstance(endpoint, Public) else GUARD_ERRORS
    for status in sorted(guard.union(operation.errors)):
        responses[str(status)] = {"description": "Refused", "content": _json(ref("Error"))}
    if isinstance(endpoint, Guarded) and endpoint.bucket is not None:
        for response in responses.values():
            response["headers"] = LIMIT_HEADERS
    return responses


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
