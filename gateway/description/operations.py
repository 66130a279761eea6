"""What the route table does not say of its endpoints."""

from dataclasses import dataclass, field

from engine import errors
from engine.errors import EngineError
from gateway.description.parameters import (
    ASYNC,
    CURSOR,
    EXPIRES,
    LIMIT,
    MAX_CREDITS_OF_RUN,
    MODEL,
    OFFSET,
    SIGNATURE,
    STATUS,
    TIMEOUT,
    VERSION,
    WIDTH,
    WORKFLOW,
)
from gateway.description.parts import NOTHING
from gateway.description.schema import Schema
from gateway.events import MEDIA_TYPE
from gateway.streams import LAST_EVENT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
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


RUN_ERRORS: tuple[type[EngineError], ...] = (
    errors.InvalidQuery,
    errors.InvalidInputs,
    errors.InvalidIdempotencyKey,
    errors.InsufficientCredits,
    errors.GrantExhausted,
    errors.MaxCreditsExceeded,
    errors.ModelTierRequired,
    errors.ModelNotFound,
    errors.ExecutionCancelled,
    errors.IdempotencyKeyInUse,
    errors.IdempotencyKeyReused,
    errors.TooManyExecutions,
    errors.ExecutionFailed,
    errors.LoopDetected,
)
"""Of all that can be run."""
SCHEMA_JSON = "application/schema+json"
OPERATIONS: dict[str, Operation] = {
    "run_workflow": Operation(
        answers={200: "RunResult", 202: "Accepted"},
        also={MEDIA_TYPE: "Event"},
        body="RunRequest",
        query=(ASYNC, TIMEOUT, MAX_CREDITS_OF_RUN),
        headers=("Prefer", "Idempotency-Key"),
        errors=(*RUN_ERRORS, errors.WorkflowNotFound, errors.WorkflowNotRunnable),
    ),
    "run_model": Operation(
        answers={200: "RunResult", 202: "Accepted"},
        also={MEDIA_TYPE: "Event"},
        body="RunRequest",
        query=(ASYNC, TIMEOUT, MAX_CREDITS_OF_RUN),
        headers=("Prefer", "Idempotency-Key"),
        errors=RUN_ERRORS,
    ),
    "list_models": Operation(answers={200: "ModelList"}),
    "create_model": Operation(answers={201: "SavedModel"}, body="ModelRequest"),
    "get_model": Operation(
        answers={200: "ModelManifest"},
        query=(VERSION,),
        errors=(errors.InvalidQuery, errors.ModelNotFound),
    ),
    "list_versions": Operation(answers={200: "ModelVersionList"}, errors=(errors.ModelNotFound,)),
    "update_model": Operation(
        answers={200: "SavedModel"},
        body="ModelRequest",
        headers=("If-Match",),
        errors=(errors.ModelNotFound, errors.VersionConflict),
    ),
    "delete_model": Operation(answers={200: "Deleted"}, errors=(errors.ModelNotFound,)),
    "get_usage": Operation(
        answers={200: "UsagePage"},
        query=(STATUS, MODEL, WORKFLOW, LIMIT, OFFSET, CURSOR),
        errors=(errors.InvalidQuery,),
    ),
    "list_executions": Operation(
        answers={200: "ExecutionPage"},
        query=(STATUS, WORKFLOW, LIMIT, CURSOR),
        errors=(errors.InvalidQuery,),
    ),
    "get_execution": Operation(answers={200: "Execution"}, errors=(errors.ExecutionNotFound,)),
    "watch_execution": Operation(
        answers={200: "Event", 204: NOTHING},
        headers=(LAST_EVENT_ID,),
        errors=(errors.InvalidQuery, errors.ExecutionNotFound),
    ),
    "cancel_execution": Operation(
        answers={202: "CancelRequested"},
        errors=(errors.ExecutionNotFound, errors.ExecutionNotCancellable),
    ),
    "list_workflows": Operation(answers={200: "WorkflowList"}),
    "create_workflow": Operation(
        answers={201: "Workflow"},
        body="WorkflowDocument",
        errors=(errors.InvalidGraph, errors.QuotaExceeded),
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
            errors.QuotaExceeded,
        ),
    ),
    "delete_workflow": Operation(
        answers={200: "Deleted"}, errors=(errors.NotOwner, errors.WorkflowNotFound)
    ),
    "get_schema": Operation(
        answers={200: "Schema"},
        also={SCHEMA_JSON: "JsonSchema"},
        errors=(errors.WorkflowNotFound, errors.WorkflowNotRunnable),
    ),
    "get_workflow_openapi": Operation(
        answers={200: "OpenApi"}, errors=(errors.WorkflowNotFound, errors.WorkflowNotRunnable)
    ),
    "get_public_schema": Operation(
        answers={200: "PublicSchema"},
        also={SCHEMA_JSON: "JsonSchema"},
        errors=(errors.WorkflowNotFound, errors.Unavailable),
    ),
    "upload_asset": Operation(
        answers={201: "Asset"},
        body="AssetForm",
        errors=(errors.UnsupportedMediaType, errors.BodyTooLarge),
    ),
    "list_assets": Operation(
        answers={200: "AssetPage"}, query=(LIMIT, CURSOR), errors=(errors.InvalidQuery,)
    ),
    "delete_asset": Operation(answers={200: "Deleted"}, errors=(errors.AssetNotFound,)),
    "get_asset": Operation(
        answers={200: "Asset"},
        query=(WIDTH,),
        errors=(errors.InvalidQuery, errors.AssetNotFound, errors.UnsupportedMediaType),
    ),
    "get_media": Operation(
        answers={200: "Media"},
        query=(EXPIRES, SIGNATURE, WIDTH),
        errors=(errors.AssetNotFound, errors.UnsupportedMediaType, errors.Unavailable),
    ),
    "whoami": Operation(answers={200: "WhoAmI"}),
    "me": Operation(answers={200: "Me"}),
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
        query=(LIMIT, CURSOR),
        errors=(errors.InvalidQuery,),
    ),
    "redeliver": Operation(answers={202: "Delivery"}, errors=(errors.InvalidWebhook,)),
    "sign_out": Operation(answers={200: "Deleted"}),
    "healthz": Operation(answers={200: "Status"}),
    "openapi": Operation(answers={200: "OpenApi"}),
    "show_docs": Operation(answers={200: "Page"}),
    "show_home": Operation(answers={200: "Page"}),
    "metrics": Operation(answers={200: "Metrics"}),
    "readyz": Operation(answers={200: "Readiness"}, errors=(errors.Unavailable,)),
}
"""By the name of the handler. The pages that sign browsers in have none."""
