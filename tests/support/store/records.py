"""Documents, workflows and executions in one line each."""

from typing import Any

from engine.executions.execution import NodeStatus
from engine.graph.document import Document
from engine.graph.plan import Plan
from engine.store import Accepted, Account, Store, Workflow


def edge(source: str, output: str, target: str, socket: str) -> dict[str, Any]:
    return {
        "id": f"{source}-{target}",
        "source": source,
        "sourceHandle": output,
        "target": target,
        "targetHandle": socket,
    }


def document(name: str = "Echo", *, text: str = "hello", **changes: Any) -> Document:
    """Return a text box wired to the output."""
    nodes = [
        {"id": "t", "type": "textBox", "position": {"x": 0, "y": 0}, "data": {"text": text}},
        {"id": "out", "type": "responseOutput", "position": {"x": 0, "y": 0}, "data": {}},
    ]
    edges = [edge("t", "text-out", "out", "result-in")]
    return Document(**({"name": name, "nodes": nodes, "edges": edges} | changes))


FIRST_DONE = [(0, NodeStatus.COMPLETED)]
SECOND_DONE = [(1, NodeStatus.COMPLETED)]
BOTH_DONE = [(0, NodeStatus.COMPLETED), (1, NodeStatus.COMPLETED)]
"""Settled nodes that complete an execution of `save`."""


async def save(store: Store, account: Account, name: str = "Echo") -> tuple[Workflow, Plan]:
    """Save a workflow; return it with its plan."""
    workflow = await store.workflows.create(account.id, document(name), [])
    found, plan = await store.workflows.plan(workflow.slug)
    assert plan is not None
    return found, plan


async def accept(
    store: Store,
    account: Account,
    workflow: Workflow,
    plan: Plan,
    *,
    execution_id: str | None = None,
    notifier: str = "",
    is_named_version: bool = False,
) -> Accepted:
    """Accept an execution without inputs."""
    return await store.executions.accept(
        account_id=account.id,
        workflow=workflow,
        is_named_version=is_named_version,
        plan=plan,
        inputs={},
        source="api-workflow",
        key_id="key_1",
        notifier=notifier,
        execution_id=execution_id,
    )
