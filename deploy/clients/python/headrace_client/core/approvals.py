"""Flows of approvals: list those that wait for an answer, and answer one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from headrace_client.core.decoding import decode
from headrace_client.core.effects import Flow
from headrace_client.core.executions import execution_path
from headrace_client.core.pages import iterate_pages, query_of
from headrace_client.core.session import Session, json_request
from headrace_client.models import Approval, ApprovalAnswer

PATH = "/api/approvals"


def list_approvals(session: Session, limit: int | None) -> Flow[None]:
    """Emit approvals that wait for an answer, newest first."""
    return iterate_pages(session, Approval, PATH, query_of({"limit": limit}))


def answer_approval(
    session: Session,
    execution_id: str,
    node_id: str,
    decision: str,
    fields: Mapping[str, Any] | None,
    note: str | None,
) -> Flow[ApprovalAnswer]:
    """Approve or refuse. It is sent once: a repeated call would find its own answer as another's.

    Raises ConflictError where another answer counts, and NotFoundError where nothing waits.
    """
    path = f"{execution_path(execution_id)}/approvals/{quote(node_id, safe='')}"
    request = json_request(path, {"decision": decision, "fields": dict(fields or {}), "note": note})
    members = yield from session.fetch(request, session.deadline(), is_repeatable=False)
    return decode(ApprovalAnswer, members)
