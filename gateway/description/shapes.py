"""The shapes of answers as JSON Schema."""

from engine.fields import FieldType
from gateway.description.schema import (
    ANYTHING,
    FLAG,
    INTEGER,
    MOMENT,
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
COMPONENTS: dict[str, Schema] = {
    "Field": FIELD,
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
