"""The shapes of what callers send as JSON Schema, with the limits that the readers have."""

from engine.checks import MAX_EDGES, MAX_NODES
from engine.documents import COVER, MAX_NAME, MAX_REFERENCE, MAX_TAG, MAX_TAGS, MAX_WORDS
from gateway.description.schema import (
    FLAG,
    NUMBER,
    OBJECT,
    Schema,
    described,
    list_of,
    matching,
    members,
    or_null,
    text_of,
)

NAME = text_of(1, MAX_NAME)
REFERENCE = text_of(0, MAX_REFERENCE)
NODE = members(
    {"position": members({"x": NUMBER, "y": NUMBER}), "data": OBJECT},
    id=REFERENCE,
    type=REFERENCE,
)
EDGE = members(
    id=REFERENCE,
    source=REFERENCE,
    target=REFERENCE,
    sourceHandle=REFERENCE,
    targetHandle=REFERENCE,
)
DOCUMENT_MEMBERS: dict[str, Schema] = {
    "description": or_null(text_of(0, MAX_WORDS)),
    "tags": or_null(list_of(text_of(0, MAX_TAG), MAX_TAGS)),
    "nodes": described(list_of(NODE), f"A workflow that runs has at most {MAX_NODES}."),
    "edges": described(list_of(EDGE), f"A workflow that runs has at most {MAX_EDGES}."),
    "viewport": or_null(members({"x": NUMBER, "y": NUMBER, "zoom": NUMBER})),
    "publicPlayground": FLAG,
    "isTemplate": FLAG,
    "folderId": or_null(REFERENCE),
    "draft": described(FLAG, "Save it though its graph cannot run yet."),
    "hidden": FLAG,
    "archived": FLAG,
    "cover": described(
        or_null({**matching(COVER.pattern), "maxLength": MAX_REFERENCE}),
        "The id of an asset of the account, or an `https` URL.",
    ),
}

BODIES: dict[str, Schema] = {
    "WorkflowDocument": members(DOCUMENT_MEMBERS, name=NAME),
    "WorkflowUpdate": members({"name": NAME, **DOCUMENT_MEMBERS}),
}
