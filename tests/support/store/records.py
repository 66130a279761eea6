"""Documents, workflows and executions in one line each."""

from collections.abc import Mapping
from typing import Any

from engine.executions.statuses import NodeStatus
from engine.graph.document import Document
from engine.graph.plan import Plan, compile_plan
from engine.graph.plan_digest import plan_digest
from engine.store import (
    Accepted,
    AcceptVerdict,
    Account,
    NewExecution,
    NewRun,
    Store,
    Workflow,
)
from engine.store.executions.inputs import pack_inputs

MEMBERS = ("is_named_version", "start", "warnings")


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


ECHO_DIGEST = plan_digest(compile_plan(document().nodes, document().edges))
"""Digest of the plan of `document`."""
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


class NotAccepted(Exception):
    """The verdict on an execution was another one than `Accepted`."""

    def __init__(self, verdict: AcceptVerdict) -> None:
        super().__init__(repr(verdict))
        self.verdict = verdict


async def accept(
    store: Store,
    account: Account,
    workflow: Workflow | None,
    plan: Plan,
    inputs: Mapping[str, Any] | None = None,
    **options: Any,
) -> Accepted:
    """Accept an execution, with members of `NewRun` and `NewExecution`. Raises NotAccepted."""
    members = {name: options.pop(name) for name in MEMBERS if name in options}
    run = {"source": "api-workflow", "key_id": "key_1", **options}
    verdict = await store.acceptance.accept(
        NewExecution(
            run=NewRun(account_id=account.id, **run),
            plan=plan,
            inputs=inputs or {},
            packed_inputs=pack_inputs(plan, inputs or {}),
            workflow=workflow,
            **members,
        )
    )
    if not isinstance(verdict, Accepted):
        raise NotAccepted(verdict)
    return verdict
