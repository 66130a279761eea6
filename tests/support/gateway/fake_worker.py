"""A worker that ends executions through the store, with outcomes that a test chooses."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

from engine.executions.rows import NodeRow
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.store import Store
from engine.store.dispatch.hints import parse_hint
from engine.store.executions.advance import Step, Verdict
from engine.store.redis import process_keys
from engine.store.redis.record_packing import pack
from engine.store.webhooks.delivery_keys import WebhookOwner

WORKER = "worker-of-the-test"


@dataclass(frozen=True)
class NodeFails:
    """Outcome of an execution whose node fails."""

    node_id: str
    message: str


@dataclass(frozen=True)
class EngineFails:
    """Outcome of an execution that fails without a node's fault."""


def keep_error(scope: Scope, error: Exception) -> Exception:
    """Return the error unchanged, as the answer."""
    return error


def echo(inputs: Mapping[str, Any]) -> Any:
    """Return the default outcome."""
    return {"text": inputs.get("name")}


@dataclass
class FakeWorker:
    """Takes every hint and ends its execution with `outcome`."""

    store: Store
    outcome: Callable[[Mapping[str, Any]], Any] = echo
    is_idle: bool = False
    """Leaves hints in the queue."""
    claimed: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Work until cancelled."""
        hints = process_keys.hints("walk")
        while True:
            hint = None if self.is_idle else await self.store.client.send("LPOP", hints)
            if hint is None:
                await asyncio.sleep(0.002)
            else:
                await self._walk(parse_hint(hint)[1])

    async def _walk(self, reference: str) -> None:
        claimed = await self.store.walks.claim(reference, WORKER)
        if claimed is None:
            return
        self.claimed.append(claimed.execution_id)
        _, plan = await self.store.workflows.plan_of(
            claimed.account_id, claimed.slug, claimed.version
        )
        outcome = self.outcome(claimed.inputs)
        now = int(time.time() * 1000)
        step = Step()
        if isinstance(outcome, NodeFails):
            index = next(node.index for node in plan.nodes if node.id == outcome.node_id)
            error = {
                "code": "EXECUTION_FAILED",
                "message": f"Node '{outcome.node_id}' failed: {outcome.message}",
                "nodeId": outcome.node_id,
                "nodeType": "textBox",
                "nodeCode": "template_error",
                "reason": outcome.message,
                "retryable": False,
            }
            step.settled = [(index, NodeStatus.FAILED)]
            step.rows = [NodeRow(index, 1, now, 5, error)]
            step.end, step.error = ExecutionStatus.FAILED, error
        elif isinstance(outcome, EngineFails):
            step.end = ExecutionStatus.FAILED
            step.error = {"code": "INTERNAL_ERROR", "message": "It broke", "reason": "It broke"}
        else:
            reached = sorted(plan.reachable)
            step.settled = [(index, NodeStatus.COMPLETED) for index in reached]
            step.rows = [NodeRow(index, 1, now, 5) for index in reached]
            step.end, step.result = ExecutionStatus.COMPLETED, pack(outcome)
        step.webhook = claimed.webhook
        ended = await self.store.walks.advance(claimed.lease, 1, step)
        if ended.verdict is Verdict.ARMED:
            step.webhook = WebhookOwner(claimed.key_id)
            await self.store.walks.advance(claimed.lease, 1, step)
