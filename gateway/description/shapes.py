"""The shapes of requests and answers as JSON Schema."""

from engine.capabilities import PRESETS
from gateway.description.schema import (
    ANYTHING,
    FLAG,
    INTEGER,
    INTEGER_OR_NULL,
    MOMENT,
    MOMENT_OR_NULL,
    NUMBER,
    OBJECT,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    Schema,
    list_of,
    members,
    one_of,
    ref,
)

PROBLEM = members({"nodeId": TEXT, "edgeId": TEXT}, reason=TEXT)
POINT = members(x=NUMBER, y=NUMBER)
NODE = members({"position": POINT, "data": OBJECT}, id=TEXT, type=TEXT)
EDGE = members(id=TEXT, source=TEXT, target=TEXT, sourceHandle=TEXT, targetHandle=TEXT)
FIELD_TYPES = ("text", "textarea", "number", "slider", "pills")
MORE_FIELD_TYPES = ("toggle", "image", "video", "audio", "json")
FIELD = members(
    {
        "default": ANYTHING,
        "options": list_of(ANYTHING),
        "min": NUMBER,
        "max": NUMBER,
        "step": NUMBER,
        "maxLength": INTEGER,
        "helperText": TEXT,
    },
    name=TEXT,
    label=TEXT,
    type=one_of(*FIELD_TYPES, *MORE_FIELD_TYPES),
    required=FLAG,
)
DOCUMENT_MEMBERS: dict[str, Schema] = {
    "name": TEXT,
    "description": TEXT,
    "tags": TEXTS,
    "nodes": list_of(NODE),
    "edges": list_of(EDGE),
    "viewport": members(x=NUMBER, y=NUMBER, zoom=NUMBER),
    "publicPlayground": FLAG,
    "isTemplate": FLAG,
    "folderId": TEXT_OR_NULL,
}
DRAFT: dict[str, Schema] = {"draft": FLAG}
SAVED: dict[str, Schema] = {
    "slug": TEXT,
    "version": INTEGER,
    "createdBy": TEXT_OR_NULL,
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
}
EXECUTION_MEMBERS: dict[str, Schema] = {
    "executionId": TEXT,
    "requestId": TEXT,
    "workflowSlug": TEXT_OR_NULL,
    "workflowVersion": INTEGER,
    "source": TEXT,
    "status": one_of("processing", "completed", "failed", "cancelled", "cancel_requested"),
    "result": ANYTHING,
    "error": {
        "anyOf": [members({"nodeId": TEXT}, code=TEXT, message=TEXT), {"type": "null"}],
    },
    "creditsCost": INTEGER,
    "durationMs": INTEGER_OR_NULL,
    "createdAt": MOMENT,
    "startedAt": MOMENT_OR_NULL,
    "completedAt": MOMENT_OR_NULL,
    "modelIds": TEXTS,
}
NODE_STATUSES = ("pending", "ready", "running", "retrying")
NODE_ENDS = ("completed", "failed", "skipped", "cancelled")
NODE_EXECUTION = members(
    id=TEXT,
    type=TEXT,
    status=one_of(*NODE_STATUSES, *NODE_ENDS),
    attempts=INTEGER,
    startedAt=MOMENT_OR_NULL,
    durationMs=INTEGER_OR_NULL,
    creditsCost=INTEGER,
    error={"type": ["object", "null"]},
)
USER = members(
    id=TEXT,
    email=TEXT,
    role=one_of("user", "admin"),
    tier=one_of("free", "creator", "pro", "business", "enterprise"),
    approved=FLAG,
)

API_KEY_MEMBERS: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "prefix": TEXT,
    "last4": TEXT,
    "capabilities": TEXTS,
    "createdAt": MOMENT,
}

WEBHOOK_MEMBERS: dict[str, Schema] = {"url": TEXT, "enabled": FLAG, "createdAt": MOMENT}
DELIVERY = members(
    id=TEXT,
    executionId=TEXT_OR_NULL,
    event=one_of(
        *("execution.completed", "execution.failed", "execution.cancelled", "webhook.test")
    ),
    status=one_of("pending", "delivered", "failed"),
    attempts=list_of(
        members(
            {"error": TEXT, "body": TEXT}, at=MOMENT, status=INTEGER_OR_NULL, durationMs=INTEGER
        )
    ),
    nextAttemptAt=MOMENT_OR_NULL,
)

COMPONENTS: dict[str, Schema] = {
    "Problem": PROBLEM,
    "RunRequest": members(inputs=OBJECT),
    "RunResult": members(
        success={"const": True}, result=ANYTHING, cost=INTEGER, ms=INTEGER, executionId=TEXT
    ),
    "Accepted": members(
        _async={"const": True},
        executionId=TEXT,
        requestId=TEXT,
        status={"const": "processing"},
        webhookDelivery=members({"url": TEXT}, configured=FLAG),
        pollUrl=TEXT,
    ),
    "ExecutionRow": members(**EXECUTION_MEMBERS),
    "Execution": members(**EXECUTION_MEMBERS, nodes=list_of(NODE_EXECUTION)),
    "ExecutionPage": members(rows=list_of(ref("ExecutionRow")), nextCursor=TEXT_OR_NULL),
    "CancelRequested": members(executionId=TEXT, status={"const": "cancel_requested"}),
    "WorkflowUpdate": members({**DOCUMENT_MEMBERS, **DRAFT}),
    "WorkflowDocument": members({**DOCUMENT_MEMBERS, **DRAFT}, name=TEXT),
    "Workflow": members(DRAFT, **SAVED, **DOCUMENT_MEMBERS),
    "WorkflowRow": members(
        slug=TEXT,
        name=TEXT,
        description=TEXT,
        tags=TEXTS,
        isTemplate=FLAG,
        hidden=FLAG,
        archived=FLAG,
        cover=TEXT_OR_NULL,
        createdBy=TEXT_OR_NULL,
        estimatedCreditCost=INTEGER,
        folderId=TEXT_OR_NULL,
        updatedAt=MOMENT,
    ),
    "WorkflowList": list_of(ref("WorkflowRow")),
    "Schema": members(
        name=TEXT,
        description=TEXT,
        fields=list_of(FIELD),
        values=OBJECT,
        estimatedCreditCost=INTEGER,
    ),
    "PublicSchema": members(name=TEXT, description=TEXT, fields=list_of(FIELD), values=OBJECT),
    "Deleted": members(success={"const": True}),
    "WhoAmI": members(user=USER),
    "ApiKeyRequest": members(
        {
            "preset": one_of(*PRESETS, "Custom"),
            "capabilities": {**TEXTS, "minItems": 1, "maxItems": 500},
        },
        name={**TEXT, "minLength": 1, "maxLength": 100},
    ),
    "CreatedApiKey": members(**API_KEY_MEMBERS, key=TEXT),
    "ApiKeyList": list_of(members(**API_KEY_MEMBERS, lastUsedAt=MOMENT_OR_NULL)),
    "WebhookRequest": members(
        {
            "secret": {"type": ["string", "null"], "minLength": 16, "maxLength": 256},
            "enabled": FLAG,
        },
        url={**TEXT, "maxLength": 2_048},
    ),
    "Webhook": members({"disabledReason": TEXT}, **WEBHOOK_MEMBERS),
    "SavedWebhook": members({"secret": TEXT, "disabledReason": TEXT}, **WEBHOOK_MEMBERS),
    "Delivery": DELIVERY,
    "DeliveryPage": members(rows=list_of(DELIVERY), nextCursor=TEXT_OR_NULL),
    "Status": members(status=TEXT),
}
