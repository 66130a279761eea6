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
from typing import Any

from engine.errors import EngineError
from engine.executions.statuses import ExecutionStatus
from engine.graph.plan import Plan
from engine.store import Store
from engine.store.dispatch.hints import InlineRun
from engine.store.executions.advance import UnclaimedWalk
from engine.store.executions.offload import OFFLOAD_FROM_BYTES
from engine.store.executions.walks import Walks
from engine.store.redis import keyspace
from engine.telemetry import log, metrics
from workers.nodes.memory import MemoryBudget, RunMemory
from workers.runtime.store_retries import retry_until_answered
from workers.walk.fast.pure_plans import PurePlan

EXECUTIONS_COMPLETED = metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.COMPLETED.value)
COMPLETED_SECONDS = metrics.EXECUTION_SECONDS.labels(ExecutionStatus.COMPLETED.value)
HINT_WAITS = {queue: metrics.HINT_WAIT.labels(queue) for queue in metrics.HINT_QUEUES}


class FastWalk:
    """Small run that has been walked; the store was asked to end it."""

    def __init__(
        self,
        walks: Walks,
        reference: str,
        token: str,
        finished: UnclaimedWalk,
        plan: PurePlan,
        memory: RunMemory,
        queue: str,
    ) -> None:
        self.reference = reference
        self.queue = queue
        """Queue that had its hint."""
        self._walks = walks
        self._token = token
        self._finished = finished
        self._plan = plan
        self._memory = memory
        self.reply = self._ask()
        """First answer of the store, or an error, after which the run may have ended."""

    def is_over(self) -> bool:
        """Return whether the first reply has ended the run, or was not waited for; else `end` it.

        A run that is over is counted, and its memory released.
        """
        if not (
            self.reply.cancelled()
            or (self.reply.exception() is None and self._take(self.reply.result()))
        ):
            return False
        self._memory.close()
        return True

    async def end(self) -> bool:
        """Ask the store until it answers; False: the execution is unchanged and must be claimed."""
        account_id, execution_id = keyspace.parse_reference(self.reference)
        log.bind(account_id=account_id, execution_id=execution_id)
        replies = [self.reply]
        try:
            answer = await retry_until_answered(
                lambda: replies.pop() if replies else self._ask(), "finish"
            )
        finally:
            self._memory.close()
        return self._take(answer)

    def _take(self, answer: Any) -> bool:
        """Take the store's answer; return whether it has ended the run, which is counted then."""
        wait_ms = self._walks.take_finished(self.reference, answer)
        if wait_ms is None:
            return False
        self._plan.count()
        EXECUTIONS_COMPLETED.inc()
        COMPLETED_SECONDS.observe((wait_ms + self._finished.elapsed_ms) / 1_000)
        HINT_WAITS[self.queue].observe(wait_ms / 1_000)
        return True

    def _ask(self) -> "asyncio.Future[Any]":
        return self._walks.finish(self.reference, self._token, self._finished)


class FastPath:
    """Ends small executions from the inputs in their hints."""

    def __init__(self, store: Store, max_bytes: int, memory: MemoryBudget) -> None:
        self._store = store
        self._memory = memory
        self._max_bytes = min(max_bytes, OFFLOAD_FROM_BYTES)
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count()

    def begin(self, reference: str, inline_run: InlineRun, queue: str) -> FastWalk | None:
        """Walk the execution and ask the store to end it; None: `finish` it, or claim it."""
        plan = self._cached_plan(reference, inline_run)
        pure_plan = None if plan is None else PurePlan.prepare(plan)
        if pure_plan is None:
            return None
        began = time.monotonic()
        result = pure_plan.walk(inline_run.inputs, self._max_bytes)
        if result is None:
            return None
        finished = UnclaimedWalk(
            inline_run=inline_run,
            codes=pure_plan.codes,
            rows=pure_plan.rows,
            result=result,
            elapsed_ms=int((time.monotonic() - began) * 1000),
            plan=pure_plan.digest,
        )
        memory = self._memory.open(len(inline_run.inputs) + len(result))
        token = f"{self._process}{next(self._numbers):x}"
        return FastWalk(self._store.walks, reference, token, finished, pure_plan, memory, queue)

    async def finish(self, reference: str, inline_run: InlineRun, queue: str) -> bool:
        """Walk an execution whose plan must be read first; False: it must be claimed."""
        if self._cached_plan(reference, inline_run) is not None:
            return False  # `begin` has seen that it is not for this path
        account_id, _ = keyspace.parse_reference(reference)
        try:
            await self._store.workflows.plan_of(account_id, inline_run.slug, inline_run.version)
        except EngineError:
            return False
        walk = self.begin(reference, inline_run, queue)
        return walk is not None and await walk.end()

    def _cached_plan(self, reference: str, inline_run: InlineRun) -> Plan | None:
        account_id, _ = keyspace.parse_reference(reference)
        plans = self._store.workflows.plans
        return plans.known_plan(account_id, inline_run.slug, inline_run.version)
