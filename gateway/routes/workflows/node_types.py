"""Catalogue of node types."""

import hashlib
from typing import Annotated, ClassVar, Self

from starlette.responses import Response
from starlette.routing import Route

from engine.nodes.catalogue import NodeTypeEntry, list_node_types
from engine.store import Principal
from gateway.auth.endpoints import NO_BODY, in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.entity_tags import IF_NONE_MATCH
from gateway.http.responses import encode_json
from gateway.http.types import JSON, OBJECT, Content, Nested, described_as, doc
from gateway.routes.workflows.views import InputSocketView, OutputSocketView
from gateway.services import GatewayRequest


class NodeTypeView(Nested):
    """A node type."""

    type: str
    category: str
    label: str
    description: str
    settings: Annotated[
        OBJECT, doc("JSON Schema of a node's `data`, with defaults; `x-widget` names a control.")
    ]
    inputs: Annotated[list[OBJECT], described_as(list[InputSocketView])]
    outputs: Annotated[list[OBJECT], described_as(list[OutputSocketView])]
    is_dynamic: Annotated[
        bool, doc("The sockets depend on the settings; those shown are of a node without any.")
    ]
    available: Annotated[bool, doc("Whether a node of the type can be saved here.")]
    unavailable_reason: Annotated[str | None, doc("The reason why not, as a sentence.")]

    @classmethod
    def for_entry(cls, entry: NodeTypeEntry) -> Self:
        """Show an entry of the catalogue."""
        sockets = entry.sockets.as_dict()
        return cls.from_record(entry, **sockets, available=entry.unavailable_reason is None)


class NodeTypeList(Content):
    """The list of node types, with its version."""

    headers: ClassVar = {"ETag": "The version of the catalogue, in quotes."}


NODE_TYPE_LIST = NodeTypeList(
    component="NodeTypeList",
    kind=list[NodeTypeView],
    examples=(
        [
            NodeTypeView(
                type="note",
                category="Utilities",
                label="Note",
                description="Words for the people who read the canvas; it never runs.",
                settings={
                    "type": "object",
                    "properties": {
                        "text": {
                            "type": "string",
                            "description": "The note.",
                            "default": "",
                            "x-widget": "textarea",
                        }
                    },
                },
                inputs=[],
                outputs=[],
                is_dynamic=False,
                available=True,
                unavailable_reason=None,
            )
        ],
    ),
)


@operation(headers=(IF_NONE_MATCH,), answers={200: NODE_TYPE_LIST, 304: NO_BODY})
@in_turns
@requires("workflow:read", "model:run")
async def get_node_types(request: GatewayRequest, principal: Principal) -> Response:
    """Every node type with its settings and sockets."""
    entries = list_node_types(request.services.store.schema.allows)
    body = encode_json([NodeTypeView.for_entry(each) for each in entries])
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = request.headers.get("if-none-match", "")
    if tag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status_code=304, headers={"etag": tag})
    return Response(body, headers={"etag": tag}, media_type=JSON)


routes = [Route("/api/node-types", Resource(GET=get_node_types))]
