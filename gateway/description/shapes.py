"""The shapes of answers as JSON Schema."""

from engine.events import EventName
from engine.executions import ExecutionStatus, NodeStatus
from engine.fields import FieldType
from gateway.description.schema import (
    ANYTHING,
    FLAG,
    ID,
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
    described,
    list_of,
    members,
    one_of,
    ref,
)

CREDITS = described(INTEGER, "In credits; one is 0.001 USD.")
NODE = members(id=TEXT, type=TEXT, position=members(x=NUMBER, y=NUMBER), data=OBJECT)
EDGE = members(id=TEXT, source=TEXT, target=TEXT, sourceHandle=TEXT, targetHandle=TEXT)
FIELD = members(
    {
        "default": ANYTHING,
        "options": list_of({"type": ["string", "number"]}),
        "min": NUMBER,
        "max": NUMBER,
        "step": NUMBER,
        "maxLength": INTEGER,
        "helperText": TEXT,
    },
    name=TEXT,
    label=TEXT,
    type=one_of(FieldType),
    required=FLAG,
)
ASKED: dict[str, Schema] = {
    "name": TEXT,
    "description": TEXT,
    "fields": list_of(ref("Field")),
    "values": described(OBJECT, "The saved value of each field."),
}
WARNED: dict[str, Schema] = {
    "warnings": described(TEXTS, "Sentences about inputs that were ignored; absent without any.")
}
LINKED: dict[str, Schema] = {
    "assets": described(
        list_of(members(id=TEXT, url=TEXT)),
        "The assets that links in the result lead to; absent without any.",
    )
}
EXECUTION_MEMBERS: dict[str, Schema] = {
    "executionId": ID,
    "requestId": TEXT,
    "workflowSlug": TEXT_OR_NULL,
    "workflowVersion": INTEGER,
    "source": TEXT,
    "status": one_of(ExecutionStatus),
    "result": ANYTHING,
    "error": {
        "anyOf": [members({"nodeId": TEXT}, code=TEXT, message=TEXT), {"type": "null"}],
    },
    "creditsCost": CREDITS,
    "durationMs": INTEGER_OR_NULL,
    "createdAt": MOMENT,
    "startedAt": MOMENT_OR_NULL,
    "completedAt": MOMENT_OR_NULL,
    "modelIds": TEXTS,
}
NODE_EXECUTION = members(
    id=TEXT,
    type=TEXT,
    status=one_of(NodeStatus),
    attempts=INTEGER,
    startedAt=MOMENT_OR_NULL,
    durationMs=INTEGER_OR_NULL,
    creditsCost=CREDITS,
    error={"anyOf": [members(code=TEXT, message=TEXT), {"type": "null"}]},
)
COMPONENTS: dict[str, Schema] = {
    "Field": FIELD,
    "Event": members(
        id=described(TEXT, "What `Last-Event-ID` takes."),
        event=described(
            one_of(EventName),
            "`execution.started` is the first and `execution.finished` the last.",
        ),
        data=described(TEXT, "A JSON object in one line."),
    ),
    "RunResult": members(
        WARNED,
        success={"const": True},
        result=described(ANYTHING, "What the workflow's Response Output makes of it."),
        cost=CREDITS,
        ms=described(INTEGER, "Milliseconds that the server took."),
        executionId=ID,
    ),
    "Accepted": members(
        WARNED,
        _async={"const": True},
        executionId=ID,
        requestId=TEXT,
        status={"const": ExecutionStatus.PROCESSING.value},
        webhookDelivery=members({"url": TEXT}, configured=FLAG),
        pollUrl=TEXT,
    ),
    "ExecutionRow": members(WARNED, **EXECUTION_MEMBERS),
    "Execution": members({**WARNED, **LINKED}, **EXECUTION_MEMBERS, nodes=list_of(NODE_EXECUTION)),
    "ExecutionPage": members(rows=list_of(ref("ExecutionRow")), nextCursor=TEXT_OR_NULL),
    "CancelRequested": members(
        executionId=ID, status={"const": ExecutionStatus.CANCEL_REQUESTED.value}
    ),
    "Workflow": members(
        {"draft": described(FLAG, "True of what has never been able to run; else absent.")},
        slug=TEXT,
        name=TEXT,
        description=TEXT,
        tags=TEXTS,
        nodes=list_of(NODE),
        edges=list_of(EDGE),
        viewport=members(x=NUMBER, y=NUMBER, zoom=NUMBER),
        publicPlayground=FLAG,
        isTemplate=FLAG,
        folderId=TEXT_OR_NULL,
        cover=TEXT_OR_NULL,
        hidden=FLAG,
        archived=FLAG,
        version=INTEGER,
        createdBy=TEXT_OR_NULL,
        createdAt=MOMENT,
        updatedAt=MOMENT,
    ),
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
        estimatedCreditCost=CREDITS,
        folderId=TEXT_OR_NULL,
        updatedAt=MOMENT,
    ),
    "WorkflowList": list_of(ref("WorkflowRow")),
    "Schema": members(**ASKED, estimatedCreditCost=CREDITS),
    "PublicSchema": members(**ASKED),
    "JsonSchema": described(OBJECT, "The object `inputs` as JSON Schema 2020-12."),
    "OpenApi": members(
        {"servers": list_of(members(url=TEXT))},
        openapi=TEXT,
        info=OBJECT,
        paths=OBJECT,
        components=OBJECT,
    ),
    "Deleted": members(success={"const": True}),
    "Status": members(status=TEXT),
    "Readiness": members(
        {
            "degraded": described(
                list_of(TEXT),
                "Why this serves, but not as it should; `memory`: the store is nearly full, "
                "`hints`: work waits that no worker takes.",
            )
        },
        status=TEXT,
    ),
    "Page": TEXT,
    "Metrics": TEXT,
}
