"""Answers as JSON, with the contract's names."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.documents import Document
from engine.graph import Plan
from engine.store import Workflow
from engine.values import moment

PIECE_BYTES = 65_536

encode_json = msgspec.json.Encoder(decimal_format="number").encode
"""The value as JSON, in one line."""


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None, *, media_type: str = ""
) -> Response:
    """The value as JSON."""
    body = encode_json(value)
    kind = Response if len(body) <= PIECE_BYTES else LargeResponse
    return kind(body, status, headers, media_type=media_type or "application/json")


class LargeResponse(Response):
    """A body that goes out as it is read, so that it is with the peer when it was sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; who does not read holds it up."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        for piece in in_pieces(bytes(self.body)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def in_pieces(data: bytes) -> Iterator[bytes]:
    """The bytes, a piece at a time: what is written whole is in memory until it was read."""
    for start in range(0, len(data), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


def schema_shape(document: Document, plan: Plan) -> dict[str, Any]:
    """What a workflow asks of its callers."""
    return {
        "name": document.name,
        "description": document.description,
        "fields": [field.as_dict() for field in plan.fields],
        "values": plan.values,
    }


def workflow_row(workflow: Workflow, estimate: int) -> dict[str, Any]:
    """A workflow in a list; `estimate` is what a run may cost in credits."""
    document = workflow.document
    return {
        "slug": workflow.slug,
        "name": document.name,
        "description": document.description,
        "tags": document.tags,
        "isTemplate": document.is_template,
        "hidden": document.hidden,
        "archived": document.archived,
        "cover": document.cover,
        "createdBy": workflow.account_id,
        "estimatedCreditCost": estimate,
        "folderId": document.folder_id,
        "updatedAt": moment(workflow.updated_at),
    }


def workflow_shape(workflow: Workflow) -> dict[str, Any]:
    """A whole workflow, in the shape that saving takes."""
    document = workflow.document
    shape = {
        "slug": workflow.slug,
        "name": document.name,
        "description": document.description,
        "tags": document.tags,
        "nodes": document.nodes,
        "edges": document.edges,
        "viewport": document.viewport,
        "publicPlayground": document.public_playground,
        "isTemplate": document.is_template,
        "folderId": document.folder_id,
        "cover": document.cover,
        "hidden": document.hidden,
        "archived": document.archived,
        "version": workflow.version,
        "createdBy": workflow.account_id,
        "createdAt": moment(workflow.created_at),
        "updatedAt": moment(workflow.updated_at),
    }
    return {**shape, "draft": True} if document.draft else shape
