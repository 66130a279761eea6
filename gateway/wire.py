"""Answers as JSON, with the contract's names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.documents import Document
from engine.executions import Execution, NodeExecution
from engine.graph import NodeName, Plan
from engine.store import Workflow
from engine.values import moment

ERROR_MEMBERS = ("code", "message", "nodeId")
"""What of an execution's error is shown."""
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


def accepted_shape(
    execution_id: str, webhook_url: str | None = None, warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """What a caller gets who does not wait for the end."""
    configured = {"configured": True, "url": webhook_url}
    return {
        "_async": True,
        "executionId": execution_id,
        "requestId": execution_id,
        "status": "processing",
        "webhookDelivery": configured if webhook_url else {"configured": False},
        "pollUrl": f"/api/executions/{execution_id}",
        **warnings_member(warnings),
    }


def warnings_member(warnings: Sequence[str]) -> dict[str, Any]:
    """The member `warnings`, where there are any."""
    return {"warnings": warnings} if warnings else {}


def execution_shape(execution: Execution) -> dict[str, Any]:
    """An execution without its nodes."""
    return {
        "executionId": execution.id,
        "requestId": execution.id,
        "workflowSlug": execution.workflow_slug or None,
        "workflowVersion": execution.workflow_version,
        "source": execution.source,
        "status": execution.status,
        "result": execution.result,
        "error": _error_shape(execution.error),
        "creditsCost": execution.credits_cost,
        "durationMs": execution.duration_ms,
        "createdAt": moment(execution.created_at),
        "startedAt": moment(execution.started_at),
        "completedAt": moment(execution.completed_at),
        "modelIds": execution.model_ids,
        **warnings_member(execution.warnings),
    }


def _error_shape(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {name: error[name] for name in ERROR_MEMBERS if name in error}


def assets_member(links: Mapping[str, str]) -> dict[str, Any]:
    """The member `assets`, where links in a result lead to any; `links` has their ids by link."""
    listed = [{"id": asset_id, "url": url} for url, asset_id in links.items()]
    return {"assets": listed} if listed else {}


def execution_with_nodes_shape(execution: Execution, names: Sequence[NodeName]) -> dict[str, Any]:
    """An execution with its nodes, named as the version it began with names them.

    Without names there are none of them.
    """
    nodes = [_node_shape(node, names[node.index]) for node in execution.nodes] if names else []
    return {**execution_shape(execution), "nodes": nodes}


def _node_shape(node: NodeExecution, name: NodeName) -> dict[str, Any]:
    return {
        "id": name.id,
        "type": name.type,
        "status": node.status,
        "attempts": node.attempts,
        "startedAt": moment(node.started_at),
        "durationMs": node.duration_ms,
        "creditsCost": node.credits_cost,
        "error": node.error,
    }


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
