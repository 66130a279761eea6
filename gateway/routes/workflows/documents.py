"""Types of workflows, in requests and answers."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.graph.document import (
    COVER,
    MAX_DESCRIPTION,
    MAX_EDITOR_BYTES,
    MAX_NAME,
    MAX_REFERENCE,
    MAX_TAG,
    MAX_TAGS,
    RecordValues,
)
from engine.graph.parse import MAX_EDGES, MAX_NODES
from engine.graph.plan import Plan
from engine.ids.slugs import SLUG
from engine.services.workflows.drafts import SavedDraft
from engine.store import Workflow
from engine.values.plain import moment
from gateway.http.types import (
    OBJECT,
    Content,
    Credits,
    Moment,
    Nested,
    RequestBody,
    View,
    described_as,
    doc,
)
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.workflows.views import CHECKED, CheckView
from gateway.waits.views import FieldView

SCHEMA_JSON = "application/schema+json"

Cover = Annotated[str, Meta(pattern=f"^(?:{COVER.pattern})$", max_length=MAX_REFERENCE)]
Description = Annotated[str, Meta(min_length=0, max_length=MAX_DESCRIPTION)]
Tag = Annotated[str, Meta(min_length=0, max_length=MAX_TAG)]
Reference = Annotated[str, Meta(min_length=0, max_length=MAX_REFERENCE)]


RecordValuesOf = Annotated[
    RecordValues,
    doc(
        "The executions whose inputs, and inputs and outputs of nodes, are kept after their end:"
        " all, those that failed, or none."
    ),
]
Revision = Annotated[int, doc("Number of the write of a draft, from 1.")]
BasedOn = Annotated[
    int | None,
    doc("The version that was live when the draft began; null: it was never published."),
]


class PositionView(Nested):
    """Place of a node on the canvas."""

    x: float
    y: float


class GraphNode(Nested):
    """A node of a graph."""

    id: str
    type: str
    position: PositionView
    data: OBJECT


class GraphEdge(Nested):
    """An edge of a graph."""

    id: str
    source: str
    target: str
    source_handle: str
    target_handle: str


class ViewportView(Nested):
    """Part of the canvas that is shown."""

    x: float
    y: float
    zoom: float


class DocumentView(View, kw_only=True):
    """The members of a document that saving takes, and its slug."""

    slug: str
    name: str
    description: str
    tags: Sequence[str]
    nodes: Annotated[list[OBJECT], described_as(list[GraphNode])]
    edges: Annotated[list[OBJECT], described_as(list[GraphEdge])]
    viewport: Annotated[OBJECT, described_as(ViewportView)]
    public_playground: bool
    is_template: bool
    folder_id: str | None
    cover: str | None
    hidden: bool
    archived: bool
    record_values: RecordValuesOf
    editor: Annotated[
        OBJECT | UnsetType,
        doc("Data of the canvas, which runs ignore; absent for others than the owner."),
    ]


class WorkflowView(DocumentView, kw_only=True):
    """A whole workflow, with the members that saving takes."""

    headers = {"ETag": "The version, in quotes."}
    links = {
        name: {"slug": "slug"}
        for name in ("run_workflow", "get_workflow", "get_schema", "get_workflow_openapi")
    }

    version: Annotated[int | None, doc("Null: it was never published, and this is its draft.")]
    created_by: str | None
    created_at: Moment
    updated_at: Moment
    draft: Annotated[bool | UnsetType, doc("True of what was never published; else absent.")] = (
        UNSET
    )

    @classmethod
    def from_record(cls, record: Workflow, *, is_own: bool = True, **members: Any) -> Self:
        """Build the view of a workflow; another account's template has neither owner nor folder."""
        return super().from_record(
            record.document,
            slug=record.slug,
            folder_id=record.document.folder_id if is_own else None,
            editor=record.document.editor if is_own else UNSET,
            version=record.version or None,
            created_by=record.account_id if is_own else None,
            created_at=moment(record.created_at),
            updated_at=moment(record.updated_at),
            draft=UNSET if record.version else True,
            **members,
        )


class DraftSaved(CheckView):
    """The answer to a write of a draft."""

    headers = {"ETag": "The revision, in quotes."}

    revision: Revision
    based_on: BasedOn
    saved_at: Moment

    @classmethod
    def from_record(cls, record: SavedDraft, **members: Any) -> Self:
        """Build the view of a draft and the check of its graph."""
        return super().from_record(record.draft, **record.check.as_dict(), **members)


class PublicSchema(View):
    """Inputs that a workflow asks for."""

    name: str
    description: str
    fields: Annotated[list[OBJECT], described_as(list[FieldView])]
    values: Annotated[OBJECT, doc("The saved value of each field.")]
    estimated_credit_cost: Annotated[
        int | UnsetType,
        doc("The most that a run costs the caller, in credits; absent for visitors."),
    ] = UNSET

    @classmethod
    def from_record(cls, record: Plan, **members: Any) -> Self:
        """Build the schema of a plan, with the name and description of its document."""
        return super().from_record(
            record, fields=[each.as_dict() for each in record.fields], **members
        )


class SchemaView(PublicSchema):
    """Inputs that a workflow asks for, and the estimate of a run."""

    estimated_credit_cost: Credits


class PositionRequest(Nested):
    """Place of a node on the canvas."""

    x: float = 0
    y: float = 0


class NodeRequest(Nested):
    """A node to save."""

    id: Reference
    type: Reference
    position: PositionRequest | UnsetType = UNSET
    data: OBJECT | UnsetType = UNSET


class EdgeRequest(Nested):
    """An edge to save."""

    id: Reference
    source: Reference
    target: Reference
    source_handle: Reference
    target_handle: Reference


class ViewportRequest(Nested):
    """Part of the canvas to show."""

    x: float = 0
    y: float = 0
    zoom: float = 1


class WorkflowUpdate(RequestBody, kw_only=True):
    """Members of a workflow to change; `parse_document` reads them."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)] | UnsetType = UNSET
    description: Description | None | UnsetType = UNSET
    tags: Annotated[list[Tag], Meta(max_length=MAX_TAGS)] | None | UnsetType = UNSET
    nodes: Annotated[
        list[NodeRequest] | UnsetType, doc(f"A workflow that runs has at most {MAX_NODES}.")
    ] = UNSET
    edges: Annotated[
        list[EdgeRequest] | UnsetType, doc(f"A workflow that runs has at most {MAX_EDGES}.")
    ] = UNSET
    viewport: Annotated[Any, described_as(ViewportRequest, type=["object", "null"])] = UNSET
    public_playground: bool | UnsetType = UNSET
    is_template: bool | UnsetType = UNSET
    folder_id: Reference | None | UnsetType = UNSET
    draft: Annotated[bool | UnsetType, doc("Save it as the draft, whatever its graph.")] = UNSET
    hidden: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    cover: Annotated[
        Cover | None | UnsetType,
        doc("The id of an asset of the account, or an `https` URL."),
    ] = UNSET
    record_values: RecordValuesOf | UnsetType = UNSET
    editor: Annotated[
        Any,
        Meta(
            description=f"Data of the canvas, at most {MAX_EDITOR_BYTES:,} bytes of JSON.",
            extra_json_schema={"type": ["object", "null"]},
        ),
    ] = UNSET
    tests: Annotated[
        OBJECT | None | UnsetType,
        doc("All tests of the workflow by name, as `PUT …/tests/{test_name}` takes each."),
    ] = UNSET


class WorkflowDocument(WorkflowUpdate, kw_only=True):
    """A workflow to save; `parse_document` reads it."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    copy_of: Annotated[
        Annotated[str, Meta(pattern=SLUG.pattern)] | UnsetType,
        doc("The slug of an own workflow or of a template, whose copy has the other members."),
    ] = UNSET


FIELD = {
    "name": "name",
    "label": "Your name",
    "type": "text",
    "required": True,
    "maxLength": 40,
}
ABOUT: dict[str, Any] = {
    "name": "Greeting",
    "description": "Greets by name",
    "tags": ["demo"],
}
GRAPH: dict[str, Any] = {
    "nodes": [
        {
            "id": "in",
            "type": "requestInput",
            "position": {"x": 0, "y": 0},
            "data": {"fields": [FIELD], "values": {"name": "Ada"}},
        },
        {
            "id": "text",
            "type": "textBox",
            "position": {"x": 300, "y": 0},
            "data": {"text": "Hello {{ name }}"},
        },
        {"id": "out", "type": "responseOutput", "position": {"x": 600, "y": 0}, "data": {}},
    ],
    "edges": [
        {
            "id": "in-text",
            "source": "in",
            "sourceHandle": "name",
            "target": "text",
            "targetHandle": "name",
        },
        {
            "id": "text-out",
            "source": "text",
            "sourceHandle": "text-out",
            "target": "out",
            "targetHandle": "result-in",
        },
    ],
}
MEMBERS: dict[str, Any] = {
    "viewport": {"x": 0, "y": 0, "zoom": 1},
    "public_playground": False,
    "is_template": False,
    "folder_id": None,
    "cover": None,
    "hidden": False,
    "archived": False,
    "record_values": RecordValues.ALL,
    "editor": {},
}
WorkflowView.examples = (
    WorkflowView(
        slug="greeting",
        **ABOUT,
        **GRAPH,
        **MEMBERS,
        version=3,
        created_by=ACCOUNT_ID,
        created_at=CREATED,
        updated_at=CREATED,
    ),
)
SAVED: dict[str, Any] = {"revision": 7, "based_on": 3, "saved_at": CREATED}
DraftSaved.examples = (DraftSaved(**SAVED, **CHECKED),)
ASKED: dict[str, Any] = {
    "name": "Greeting",
    "description": "Greets by name",
    "fields": [FIELD],
    "values": {"name": "Ada"},
}
PublicSchema.examples = (PublicSchema(**ASKED),)
SchemaView.examples = (SchemaView(**ASKED, estimated_credit_cost=0),)
WorkflowUpdate.examples = (WorkflowUpdate(description="Greets everybody by name"),)
WorkflowDocument.examples = (
    WorkflowDocument(**ABOUT, **GRAPH),
    WorkflowDocument(name="An idea", draft=True),
    WorkflowDocument(name="My greeting", copy_of="greeting"),
)
JSON_SCHEMA = Content(
    component="JsonSchema",
    kind=Annotated[OBJECT, doc("The object `inputs` as JSON Schema 2020-12.")],
    media_type=SCHEMA_JSON,
    examples=(
        {
            "title": "Greeting",
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"name": {"title": "Your name", "type": "string", "maxLength": 40}},
            "required": ["name"],
            "additionalProperties": True,
        },
    ),
)
