"""Types of workflows, in requests and answers."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from msgspec import UNSET, Meta, UnsetType

from engine.checks import MAX_EDGES, MAX_NODES
from engine.documents import COVER, MAX_NAME, MAX_REFERENCE, MAX_TAG, MAX_TAGS, MAX_WORDS, Document
from engine.graph import Plan
from engine.store import Workflow
from engine.values import moment
from gateway.http.types import OBJECT, Content, Credits, Moment, RequestBody, View, described_as
from gateway.openapi.examples import ACCOUNT_ID, CREATED
from gateway.routes.shared_types import FieldView

SCHEMA_JSON = "application/schema+json"

Reference = Annotated[str, Meta(min_length=0, max_length=MAX_REFERENCE)]


class PositionView(View):
    """Place of a node on the canvas."""

    x: float
    y: float


class GraphNode(View):
    """A node of a graph."""

    id: str
    type: str
    position: PositionView
    data: OBJECT


class GraphEdge(View):
    """An edge of a graph."""

    id: str
    source: str
    target: str
    source_handle: str
    target_handle: str


class ViewportView(View):
    """Part of the canvas that is shown."""

    x: float
    y: float
    zoom: float


class WorkflowView(View, kw_only=True):
    """A whole workflow, with the members that saving takes."""

    component = "Workflow"
    headers = {"ETag": "The version, in quotes."}
    links = {
        name: {"slug": "slug"}
        for name in ("run_workflow", "get_workflow", "get_schema", "get_workflow_openapi")
    }

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
    version: int
    created_by: str | None
    created_at: Moment
    updated_at: Moment
    draft: (
        Annotated[bool, Meta(description="True of what has never been able to run; else absent.")]
        | UnsetType
    ) = UNSET

    @classmethod
    def of(cls, workflow: Workflow, *, is_own: bool = True) -> Self:
        """Show a workflow; of another's template, neither its owner nor its folder."""
        document = workflow.document
        return cls(
            slug=workflow.slug,
            name=document.name,
            description=document.description,
            tags=document.tags,
            nodes=document.nodes,
            edges=document.edges,
            viewport=document.viewport,
            public_playground=document.public_playground,
            is_template=document.is_template,
            folder_id=document.folder_id if is_own else None,
            cover=document.cover,
            hidden=document.hidden,
            archived=document.archived,
            version=workflow.version,
            created_by=workflow.account_id if is_own else None,
            created_at=moment(workflow.created_at),
            updated_at=moment(workflow.updated_at),
            draft=document.draft or UNSET,
        )


class WorkflowRow(View):
    """A workflow in a list."""

    component = "WorkflowRow"

    slug: str
    name: str
    description: str
    tags: Sequence[str]
    is_template: bool
    hidden: bool
    archived: bool
    cover: str | None
    created_by: str | None
    estimated_credit_cost: Credits
    folder_id: str | None
    updated_at: Moment

    @classmethod
    def of(cls, workflow: Workflow, estimate: int, *, is_own: bool) -> Self:
        """Show a workflow as `WorkflowView.of` does; a run may cost `estimate` credits."""
        document = workflow.document
        return cls(
            slug=workflow.slug,
            name=document.name,
            description=document.description,
            tags=document.tags,
            is_template=document.is_template,
            hidden=document.hidden,
            archived=document.archived,
            cover=document.cover,
            created_by=workflow.account_id if is_own else None,
            estimated_credit_cost=estimate,
            folder_id=document.folder_id if is_own else None,
            updated_at=moment(workflow.updated_at),
        )


class PublicSchema(View):
    """Inputs that a workflow asks for."""

    component = "PublicSchema"

    name: str
    description: str
    fields: Annotated[list[OBJECT], described_as(list[FieldView])]
    values: Annotated[OBJECT, Meta(description="The saved value of each field.")]

    @classmethod
    def of(cls, document: Document, plan: Plan, *, shows_values: bool = True, **more: Any) -> Self:
        """Show a plan's fields, with those members that only some answers have."""
        return cls(
            name=document.name,
            description=document.description,
            fields=[field.as_dict() for field in plan.fields],
            values=dict(plan.values) if shows_values else {},
            **more,
        )


class WorkflowSchema(PublicSchema):
    """Inputs that a workflow asks for, and the estimate of a run."""

    component = "Schema"

    estimated_credit_cost: Credits


class PositionRequest(RequestBody):
    """Place of a node on the canvas."""

    x: float = 0
    y: float = 0


class NodeRequest(RequestBody):
    """A node to save."""

    id: Reference
    type: Reference
    position: PositionRequest | UnsetType = UNSET
    data: OBJECT | UnsetType = UNSET


class EdgeRequest(RequestBody):
    """An edge to save."""

    id: Reference
    source: Reference
    target: Reference
    source_handle: Reference
    target_handle: Reference


class ViewportRequest(RequestBody):
    """Part of the canvas to show."""

    x: float = 0
    y: float = 0
    zoom: float = 1


class WorkflowUpdate(RequestBody, kw_only=True):
    """Members of a workflow to change; `parse_document` reads them."""

    component = "WorkflowUpdate"

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)] | UnsetType = UNSET
    description: Annotated[str, Meta(min_length=0, max_length=MAX_WORDS)] | None | UnsetType = UNSET
    tags: (
        Annotated[
            list[Annotated[str, Meta(min_length=0, max_length=MAX_TAG)]], Meta(max_length=MAX_TAGS)
        ]
        | None
        | UnsetType
    ) = UNSET
    nodes: Annotated[
        Any,
        described_as(
            list[NodeRequest], description=f"A workflow that runs has at most {MAX_NODES}."
        ),
    ] = UNSET
    edges: Annotated[
        Any,
        described_as(
            list[EdgeRequest], description=f"A workflow that runs has at most {MAX_EDGES}."
        ),
    ] = UNSET
    viewport: Annotated[Any, described_as(ViewportRequest, type=["object", "null"])] = UNSET
    public_playground: bool | UnsetType = UNSET
    is_template: bool | UnsetType = UNSET
    folder_id: Reference | None | UnsetType = UNSET
    draft: (
        Annotated[bool, Meta(description="Save it though its graph cannot run yet.")] | UnsetType
    ) = UNSET
    hidden: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    cover: Annotated[
        Annotated[str, Meta(pattern=f"^(?:{COVER.pattern})$", max_length=MAX_REFERENCE)]
        | None
        | UnsetType,
        Meta(description="The id of an asset of the account, or an `https` URL."),
    ] = UNSET


class WorkflowDocument(WorkflowUpdate, kw_only=True):
    """A workflow to save; `parse_document` reads it."""

    component = "WorkflowDocument"

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


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
WorkflowView.examples = (
    WorkflowView(
        slug="greeting",
        **ABOUT,
        **GRAPH,
        viewport={"x": 0, "y": 0, "zoom": 1},
        public_playground=False,
        is_template=False,
        folder_id=None,
        cover=None,
        hidden=False,
        archived=False,
        version=3,
        created_by=ACCOUNT_ID,
        created_at=CREATED,
        updated_at=CREATED,
    ),
)
WORKFLOW_LIST = Content(
    component="WorkflowList",
    kind=list[WorkflowRow],
    examples=(
        [
            WorkflowRow(
                slug="greeting",
                **ABOUT,
                is_template=False,
                hidden=False,
                archived=False,
                cover=None,
                created_by=ACCOUNT_ID,
                estimated_credit_cost=0,
                folder_id=None,
                updated_at=CREATED,
            )
        ],
    ),
)
ASKED: dict[str, Any] = {
    "name": "Greeting",
    "description": "Greets by name",
    "fields": [FIELD],
    "values": {"name": "Ada"},
}
PublicSchema.examples = (PublicSchema(**ASKED),)
WorkflowSchema.examples = (WorkflowSchema(**ASKED, estimated_credit_cost=0),)
WorkflowUpdate.examples = (WorkflowUpdate(description="Greets everybody by name"),)
WorkflowDocument.examples = (
    WorkflowDocument(**ABOUT, **GRAPH),
    WorkflowDocument(name="An idea", draft=True),
)
JSON_SCHEMA = Content(
    component="JsonSchema",
    kind=Annotated[OBJECT, Meta(description="The object `inputs` as JSON Schema 2020-12.")],
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
