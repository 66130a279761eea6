"""Walks of small runs before a claim: claim and end are then one step of the store.

This is possible when all nodes are pure: a walk that is refused at its end, because another worker
has the execution or the hint is wrong, has had no effect. Anything unusual is left to the walk that
claims first, as if nothing had been tried.

Where the plan is cached, the walk is made while its hint is read, without a task of its own.
"""

import asyncio
import itertools
import secrets
import time

from engine import log, metrics
from engine.errors import EngineError
from engine.executions.execution import ExecutionStatus
from engine.store import Store
from engine.store.dispatch.hints import InlineRun
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.executions.steps import FinishedWalk
from engine.store.executions.walks import Walks
from engine.store.redis import keyspace
from workers.runtime.persistence import persist
from workers.walk.fast.pure_plans import PurePlan
from workers.walk.values.memory import MemoryBudget, RunMemory

EXECUTIONS_COMPLETED = metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.COMPLETED.value)


class PlanNotCached(Exception):
    """The plan must be read first."""


class SmallRun:
    """Small run that has been walked; the store was asked to end it."""

    def __init__(
        self,
        walks: Walks,
        reference: str,
        token: str,
        finished: FinishedWalk,
        plan: PurePlan,
        memory: RunMemory,
    ) -> None:
        self.reference = reference
        self._walks = walks
        self._token = token
        self._finished = finished
        self._plan = plan
        self._memory = memory
        self.reply = self._ask()
        """First reply of the store: 1 or 0, or an error, after which the run may have ended."""

    async def end(self) -> bool:
        """Ask the store until it answers; False: the execution is unchanged and must be claimed."""
        log.bind(execution_id=keyspace.parse_reference(self.reference)[1])
        replies = [self.reply]
        try:
            is_ended = await persist(lambda: replies.pop() if replies else self._ask(), "finish")
        finally:
            self.release()
        if is_ended:
            self.count()
        return bool(is_ended)

    def count(self) -> None:
        """Count the end in the metrics."""
        self._plan.count()
        EXECUTIONS_COMPLETED.inc()

    def release(self) -> None:
        """Release the memory of the run."""
        self._memory.close()

    def _ask(self) -> "asyncio.Future[int]":
        return self._walks.finish(self.reference, self._token, self._finished)


class FastPath:
    """Finishes small executions from the inputs in their hints."""

    def __init__(self, store: Store, max_bytes: int, memory: MemoryBudget) -> None:
        self._store = store
        self._memory = memory
        self._max_bytes = min(max_bytes, OFFLOAD_FROM_BYTES)
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count()

    async def finish(self, reference: str, inline_run: InlineRun) -> bool:
        """Walk the execution and end it; False: it is unchanged and must be claimed."""
        account_id, _ = keyspace.parse_reference(reference)
        try:
            await self._store.workflows.plan_of(account_id, inline_run.slug, inline_run.version)
            run = self.begin(reference, inline_run)
        except (EngineError, PlanNotCached):
            return False
        return run is not None and await run.end()

    def begin(self, reference: str, inline_run: InlineRun) -> SmallRun | None:
        """Walk the execution and ask the store to end it; None: it must be claimed.

        Raises PlanNotCached.
        """
        account_id, _ = keyspace.parse_reference(reference)
        workflows = self._store.workflows
        plan = workflows.plans.known_plan(account_id, inline_run.slug, inline_run.version)
        if plan is None:
            raise PlanNotCached
        pure_plan = PurePlan.of(plan)
        if pure_plan is None:
            return None
        began = time.monotonic()
        result = pure_plan.walk(inline_run.inputs, self._max_bytes)
        if result is None:
            return None
        finished = FinishedWalk(
            inline_run=inline_run,
            codes=pure_plan.codes,
            rows=pure_plan.rows,
            result=result,
            elapsed_ms=int((time.monotonic() - began) * 1000),
        )
        memory = self._memory.open(len(inline_run.inputs) + len(result))
        token = f"{self._process}{next(self._numbers):x}"
        return SmallRun(self._store.walks, reference, token, finished, pure_plan, memory)
