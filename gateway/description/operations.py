"""What the route table does not say of its endpoints."""

from dataclasses import dataclass

from engine import errors
from engine.errors import EngineError
from gateway.description.schema import INTEGER, NUMBER, TEXT, Schema
from gateway.description.shapes import COMPONENTS

STATUS: Schema = COMPONENTS["ExecutionRow"]["properties"]["status"]
ASYNC: Schema = {"type": "boolean", "default": False}
LIMIT: Schema = {**INTEGER, "minimum": 1, "maximum": 500, "default": 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One endpoint; answers are component names by status.

    Errors that follow from what the endpoint demands of its caller need not be named.
    """

    answers: dict[int, str]
    body: str | None = None
    query: tuple[tuple[str, Schema], ...] = ()
    headers: tuple[str, ...] = ()
    errors: tuple[type[EngineError], ...] = ()


OPERATIONS: dict[str, Operation] = {
    "run_workflow": Operation(
        answers={200: "RunResult", 202: "Accepted"},
        body="RunRequest",
        query=(("async", ASYNC), ("timeout", {**NUMBER, "minimum": 0})),
        headers=("Prefer", "Idempotency-Key"),
        errors=(
            errors.InvalidQuery,
            errors.InvalidInputs,
            errors.InvalidIdempotencyKey,
            errors.WorkflowNotFound,
            errors.ExecutionCancelled,
            errors.WorkflowNotRunnable,
            errors.IdempotencyKeyInUse,
            errors.IdempotencyKeyReused,
            errors.TooManyExecutions,
            errors.ExecutionFailed,
        ),
    ),
    "list_executions": Operation(
        answers={200: "ExecutionPage"},
        query=(("status", STATUS), ("workflowSlug", TEXT), ("limit", LIMIT), ("cursor", TEXT)),
        errors=(errors.InvalidQuery,),
    ),
    "get_execution": Operation(answers={200: "Execution"}, errors=(errors.ExecutionNotFound,)),
    "cancel_execution": Operation(
        answers={202: "CancelRequested"},
        errors=(errors.ExecutionNotFound, errors.ExecutionNotCancellable),
    ),
    "list_workflows": Operation(answers={200: "WorkflowList"}),
    "create_workflow": Operation(
        answers={201: "Workflow"}, body="WorkflowDocument", errors=(errors.InvalidGraph,)
    ),
    "get_workflow": Operation(answers={200: "Workflow"}, errors=(errors.WorkflowNotFound,)),
    "update_workflow": Operation(
        answers={200: "Workflow"},
        body="WorkflowUpdate",
        headers=("If-Match",),
        errors=(
            errors.InvalidGraph,
            errors.NotOwner,
            errors.WorkflowNotFound,
            errors.VersionConflict,
        ),
    ),
    "delete_workflow": Operation(
        answers={200: "Deleted"}, errors=(errors.NotOwner, errors.WorkflowNotFound)
    ),
    "get_schema": Operation(
        answers={200: "Schema"}, errors=(errors.WorkflowNotFound, errors.WorkflowNotRunnable)
    ),
    "get_public_schema": Operation(
        answers={200: "PublicSchema"}, errors=(errors.WorkflowNotFound, errors.Unavailable)
    ),
    "whoami": Operation(answers={200: "WhoAmI"}),
    "me": Operation(answers={200: "WhoAmI"}),
    "list_api_keys": Operation(answers={200: "ApiKeyList"}),
    "create_api_key": Operation(
        answers={201: "CreatedApiKey"},
        body="ApiKeyRequest",
        errors=(
            errors.InvalidCapability,
            errors.ApiKeyAccessDenied,
            errors.CapabilityAboveCeiling,
        ),
    ),
    "delete_api_key": Operation(answers={200: "Deleted"}),
    "get_webhook": Operation(answers={200: "Webhook"}),
    "put_webhook": Operation(
        answers={200: "SavedWebhook"},
        body="WebhookRequest",
        errors=(
            errors.InvalidWebhook,
            errors.CapabilityDenied,
            errors.CapabilityAboveCeiling,
        ),
    ),
    "delete_webhook": Operation(answers={200: "Deleted"}),
    "send_test_event": Operation(answers={202: "Delivery"}, errors=(errors.InvalidWebhook,)),
    "list_deliveries": Operation(
        answers={200: "DeliveryPage"},
        query=(("limit", LIMIT), ("cursor", TEXT)),
        errors=(errors.InvalidQuery,),
    ),
    "redeliver": Operation(answers={202: "Delivery"}, errors=(errors.InvalidWebhook,)),
    "sign_out": Operation(answers={200: "Deleted"}),
    "healthz": Operation(answers={200: "Status"}),
    "readyz": Operation(answers={200: "Status"}, errors=(errors.Unavailable,)),
}
"""By the name of the handler. Handlers that answer with something else than JSON have none."""
