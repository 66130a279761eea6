"""Walks of small runs before a claim: claim and end are then one step of the store.

This is possible when all nodes are pure: a walk that is refused at its end, because another worker
has the execution or the hint is wrong, has had no effect. Anything unusual is left to the walk that
claims first, as if nothing had been tried.
"""

import secrets
import time

from engine import log, metrics
from engine.errors import EngineError
from engine.executions.execution import ExecutionStatus
from engine.store import Store
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.executions.steps import FinishedWalk
from engine.store.hints import InlineRun
from engine.store.redis import keyspace
from engine.store.redis.record_packing import unpack
from workers.runtime.persistence import persist
from workers.walk.memory import MemoryBudget
from workers.walk.pure_plans import PurePlan

EXECUTIONS_COMPLETED = metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.COMPLETED.value)


class FastPath:
    """Finishes small executions from the inputs in their hints."""

    def __init__(self, store: Store, max_bytes: int, memory: MemoryBudget) -> None:
        self._store = store
        self._memory = memory
        self._max_bytes = min(max_bytes, OFFLOAD_FROM_BYTES)

    async def finish(self, reference: str, inline_run: InlineRun) -> bool:
        """Walk the execution and end it; False: it is unchanged and must be claimed."""
        account_id, execution_id = keyspace.parse_reference(reference)
        log.bind(execution_id=execution_id)
        workflows = self._store.workflows
        try:
            inputs = unpack(inline_run.inputs)
            _, plan = await workflows.plan_of(account_id, inline_run.slug, inline_run.version)
        except (EngineError, TypeError, ValueError):
            return False
        pure_plan = PurePlan.of(plan)
        if pure_plan is None or not isinstance(inputs, dict):
            return False
        began = time.monotonic()
        result = pure_plan.walk(inputs, self._max_bytes)
        if result is None:
            return False
        finished = FinishedWalk(
            inline_run=inline_run,
            codes=pure_plan.codes,
            rows=pure_plan.rows,
            result=result,
            elapsed_ms=int((time.monotonic() - began) * 1000),
        )
        token = secrets.token_hex(8)
        walks = self._store.walks
        with self._memory.open(len(inline_run.inputs) + len(result)):
            if not await persist(lambda: walks.finish(reference, token, finished), "finish"):
                return False
        pure_plan.count()
        EXECUTIONS_COMPLETED.inc()
        return True
