"""Walks of small runs before a claim: claim and end are then one step of the store.

This is possible when all nodes are pure: a walk that is refused at its end, because another worker
has the execution or the hint is wrong, has had no effect. Anything unusual is left to the walk that
claims first, as if nothing had been tried.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from engine import log, metrics
from engine.errors import EngineError
from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.nodes.support.base import Outputs
from engine.store import Store
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.executions.steps import FinishedWalk
from engine.store.hints import InlineRun
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack, unpack
from workers.nodes.executor import Executor
from workers.runtime.persistence import persist
from workers.walk.memory import MemoryBudget
from workers.walk.sizes import OutputSizes

EXECUTIONS_COMPLETED = metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.COMPLETED.value)


class FastPath:
    """Finishes small executions from the inputs in their hints."""

    def __init__(
        self, store: Store, executor: Executor, max_bytes: int, memory: MemoryBudget
    ) -> None:
        self._store = store
        self._executor = executor
        self._memory = memory
        self._max_bytes = min(max_bytes, OFFLOAD_FROM_BYTES)

    async def finish(self, reference: str, inline_run: InlineRun) -> bool:
        """Walk the execution and end it; False: it is unchanged and must be claimed."""
        account_id, execution_id = keyspace.parse_reference(reference)
        log.bind(execution_id=execution_id)
        walk = await self._begin(account_id, inline_run)
        if walk is None or not await walk.run():
            return False
        token, finished = secrets.token_hex(8), walk.finished(inline_run)
        walks = self._store.walks
        with self._memory.open(len(inline_run.inputs) + len(finished.result)):
            if not await persist(lambda: walks.finish(reference, token, finished), "finish"):
                return False
        walk.count()
        return True

    async def _begin(self, account_id: str, inline_run: InlineRun) -> "_SmallWalk | None":
        """Return a walk of the hint's inputs, None where the fast path does not apply."""
        workflows = self._store.workflows
        try:
            inputs = unpack(inline_run.inputs)
            _, plan = await workflows.plan_of(account_id, inline_run.slug, inline_run.version)
        except (EngineError, TypeError, ValueError):
            return None
        if not plan.is_pure or not isinstance(inputs, dict):
            return None
        return _SmallWalk(plan, inputs, self._executor, self._max_bytes)


class _SmallWalk:
    """One walk through a plan of pure nodes, without a record."""

    def __init__(
        self, plan: Plan, inputs: Mapping[str, Any], executor: Executor, max_bytes: int
    ) -> None:
        self._plan = plan
        self._context = executor.pure_context(plan.nodes[0], inputs)
        self._sizes = OutputSizes(max_bytes)
        self._progress = Progress.fresh(plan)
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._rows: list[Sequence[Any]] = []
        self._result = pack(None)

    async def run(self) -> bool:
        """Run all nodes. Returns False when one fails or when values are too large."""
        progress, clock, began = self._progress, self._clock, self._began
        ready, rows, output = progress.ready, self._rows, self._plan.response_output
        started = clock()
        while ready:
            index = ready.pop(0)
            outputs = await self._run(index)
            if outputs is None:
                return False
            if index == output:
                self._result = pack(outputs["result"])
            progress.settle(index, NodeStatus.COMPLETED, outputs)
            ended = clock()
            times = int((started - began) * 1000), int((ended - started) * 1000)
            rows.append((index, 1, *times, None, None))
            started = ended
        return True

    async def _run(self, index: int) -> Outputs | None:
        """Return the outputs of a node; None when it fails, or when values are too large."""
        progress, sizes, context = self._progress, self._sizes, self._context
        context.delivered = delivered = progress.delivered(index)
        if not sizes.allow([in_edge.source for in_edge, _ in delivered]):
            return None
        node = self._plan.nodes[index]
        try:
            inputs = progress.inputs(index, delivered)
            outputs: Outputs = await node.type.run(node.settings, inputs, context)
            size = len(pack(outputs))
        except Exception:  # the walk with a claim meets it again, and records it
            return None
        return outputs if sizes.add(index, size) else None

    def finished(self, inline_run: InlineRun) -> FinishedWalk:
        """Return the finished walk as the store records it."""
        return FinishedWalk(
            inline_run=inline_run,
            statuses=self._progress.statuses,
            rows=self._rows,
            result=self._result,
            elapsed_ms=int((self._clock() - self._began) * 1000),
        )

    def count(self) -> None:
        """Add the ended nodes and the execution to the metrics."""
        nodes, numbers = self._plan.nodes, dict[str, int]()
        for row in self._rows:
            node_type = nodes[row[0]].type.type
            numbers[node_type] = numbers.get(node_type, 0) + 1
        for node_type, number in numbers.items():
            _completed_nodes(node_type)(number)
        EXECUTIONS_COMPLETED.inc()


@cache
def _completed_nodes(node_type: str) -> Callable[[float], None]:
    """Return the increment of the counter, which takes longer to find than to increment."""
    return metrics.NODES_ENDED.labels(node_type, NodeStatus.COMPLETED.value).inc
