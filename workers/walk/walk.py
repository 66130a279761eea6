"""The walk of one execution: run ready nodes, record them, claim the next, until it ends."""

import asyncio
from collections.abc import Sequence
from enum import Enum

from engine.errors.nodes import NodeFailed
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.nodes.support.base import WorkKind
from engine.store.executions.advance import Advanced, Verdict
from engine.store.executions.claim import ClaimedExecution
from engine.telemetry.traces.calls import CallSpans, begin_calls
from workers.nodes.executor import AttemptOutcome
from workers.nodes.memory import RunMemory
from workers.runtime.run_counts import count_end
from workers.walk.attempt import Attempts
from workers.walk.dependencies import WalkDependencies
from workers.walk.resume.reconciler import Reconciler
from workers.walk.resume.restore import restore
from workers.walk.settlement import NodeSettlement
from workers.walk.state import UNTOUCHED, WalkState
from workers.walk.step import Recorder
from workers.walk.values.outputs import OutputStore

FLUSH_SECONDS = 0.05
"""Local work that took this long is recorded before the walk waits."""
SHARE_SECONDS = 0.025
"""When heavy nodes take this long and more of them wait, other workers are asked to help."""
RETRY_WAIT_SECONDS = 1.0
"""The walk waits for a retry due within this time; for a later one it leaves the execution."""
CLAIMED = frozenset({WorkKind.IO, WorkKind.CHILDREN, WorkKind.WAIT})
"""Kinds of work that begins after its claim is on record, without a slot."""
MAX_LOST = 3
"""A node at which this many workers died fails, lest it take down one after another."""


class NextStep(Enum):
    """Next step of a walk after a round."""

    CONTINUE = "continue"
    WAIT = "wait"
    LEAVE = "leave"


class Walk:
    """The walk of one execution by this worker, from the claim until it ends or is left."""

    __slots__ = (
        *(
            "_attempts",
            "_call_spans",
            "_claimed",
            "_clock",
            "_dependencies",
            "_is_cancelled",
            "_is_heavy",
        ),
        *("_memory", "_must_reconcile", "_output_store", "_plan"),
        *("_recorded_at", "_recorder", "_settlement", "_state"),
    )

    def __init__(
        self,
        claimed: ClaimedExecution,
        plan: Plan,
        dependencies: WalkDependencies,
        memory: RunMemory,
    ) -> None:
        self._claimed = claimed
        self._memory = memory
        self._plan = plan
        self._dependencies = dependencies
        self._clock = asyncio.get_running_loop().time
        self._recorded_at = self._clock()
        self._call_spans: CallSpans | None = None
        self._is_heavy = False
        self._must_reconcile = False
        self._is_cancelled = claimed.status is ExecutionStatus.CANCEL_REQUESTED
        is_shared = claimed.record.get("holders", b"1") != b"1"
        self._state = state = WalkState(
            progress=Progress(plan, claimed.statuses), is_shared=is_shared
        )
        self._output_store = output_store = OutputStore(
            dependencies.offloaded, claimed, plan, dependencies.max_bytes, memory
        )
        self._attempts = attempts = Attempts(
            claimed, plan, dependencies, state, output_store, memory
        )
        self._recorder = recorder = Recorder(
            dependencies.walks,
            claimed,
            names=lambda: plan.names,
            note_parked=attempts.note_parked,
        )
        self._settlement = NodeSettlement(claimed, plan, state, recorder)

    def cancel(self) -> None:
        """Stop running nodes and end the execution as cancelled."""
        self._is_cancelled = True
        self._state.wake.set()

    def wake(self) -> None:
        """Check the state again: the process drains."""
        self._state.wake.set()

    def reconcile_soon(self) -> None:
        """Ask the store for the lease and for changes of other walkers."""
        self._must_reconcile = True
        self._state.wake.set()

    @property
    def shares_work(self) -> bool:
        """True when other workers may take heavy nodes that wait here."""
        state = self._state
        is_crowded = self._is_heavy and len(state.ready_cpu) > self._dependencies.cpu_slots
        return bool(state.ready_cpu) and (state.is_shared or is_crowded)

    async def run(self) -> None:
        """Walk until the execution ends or cannot go on here. Raises LeaseLost or RecordBehind."""
        claimed = self._claimed
        self._call_spans = begin_calls(claimed.account_id, claimed.trace, claimed.now)
        try:
            if claimed.fence > 1 or claimed.is_seeded:
                await restore(
                    *(claimed, self._plan, self._state, self._output_store),
                    *(self._recorder, self._settlement),
                )
            # The wait is here, so that a waiting walk has one frame rather than three.
            while (next_step := await self._run_round()) is not NextStep.LEAVE:
                if next_step is NextStep.WAIT:
                    await self._wake()
                    self._take_ended()
        finally:
            await self._state.stop()
            await self._attempts.stop()
            self._settlement.count_nodes()
            if self._call_spans is not None:
                self._call_spans.drop_kept()

    async def _run_round(self) -> NextStep:
        """Run ready nodes, record them and claim once."""
        await self._run_ready()
        status = self._end_status()
        if status is not None:
            return NextStep.LEAVE if await self._end(status) else NextStep.CONTINUE
        await self._start_ready()
        if self._must_continue():
            return NextStep.CONTINUE
        if not self._state.running and not self._has_pending():
            return NextStep.LEAVE if await self._leave() else NextStep.CONTINUE
        if self._must_record():
            await self._record()
            if self._must_continue() or self._must_reconcile:
                return NextStep.CONTINUE
        return NextStep.WAIT

    def _must_continue(self) -> bool:
        if self._is_cancelled or self._settlement.failed is not None:
            return True
        if not self._memory.may_grow:
            return False
        if self._state.progress.ready:
            return True
        if self._dependencies.is_draining():
            return False
        if self._state.ready_io:
            return True
        return bool(self._state.ready_cpu) and self._free_slots() > 0

    def _has_pending(self) -> bool:
        if self._dependencies.is_draining():
            return False
        return self._waits_for_memory() or self._state.timers.has_within(RETRY_WAIT_SECONDS)

    def _waits_for_memory(self) -> bool:
        """Return whether nodes could run if other executions used less memory."""
        return self._state.has_ready and not self._memory.may_grow

    def _must_record(self) -> bool:
        if self._must_reconcile:
            return True
        if self._recorder.is_empty:
            return False
        if self._waits_for_memory():
            return True
        is_old = self._clock() - self._recorded_at > FLUSH_SECONDS
        return is_old or self._recorder.must_record

    def _wake(self) -> "asyncio.Future[None]":
        """Return a future that is done when there may be something to do."""
        self._dependencies.mark_idle(self._claimed.reference)
        wake = self._state.wake
        if self._waits_for_memory():
            self._memory.call_when_available(wake.set)
        return wake.wait()

    # -- running ----------------------------------------------------------------------------------

    async def _run_ready(self) -> None:
        state, nodes = self._state, self._plan.nodes
        progress = state.progress
        while progress.ready and self._settlement.failed is None and not self._is_cancelled:
            if not self._memory.may_grow:
                return
            index = progress.ready.pop(0)
            if progress.status(index) is not NodeStatus.PENDING:
                continue  # another walker has settled it meanwhile
            kind: WorkKind | None = nodes[index].type.kind
            if self._attempts.is_replay:
                kind = await self._attempts.find_recorded(index, progress.ready)
            if kind is None:
                progress.ready.append(index)
            elif state.claims and state.claims.get(index, UNTOUCHED).lost >= MAX_LOST:
                lost = NodeFailed("worker_lost", f"The worker died {MAX_LOST} times at this node")
                self._settlement.settle(index, self._clock(), AttemptOutcome(failure=lost))
            elif kind is WorkKind.PURE:
                ended = await self._attempts.run_in_place(index)
                if ended is not None:
                    self._settlement.settle(*ended)
            elif kind in CLAIMED:
                state.ready_io.append(index)
            else:
                state.ready_cpu.append(index)

    def _take_ended(self) -> None:
        self._state.wake.clear()
        if self._state.task_error is not None:
            raise self._state.task_error
        self._settle_ended()

    def _settle_ended(self) -> None:
        for ended in self._attempts.take_ended():
            self._settlement.settle(*ended)
            if self._plan.nodes[ended.node_index].type.kind is WorkKind.CPU:
                self._is_heavy = self._clock() - ended.started > SHARE_SECONDS

    # -- claiming ---------------------------------------------------------------------------------

    async def _start_ready(self) -> None:
        if self._dependencies.is_draining() or not self._memory.may_grow:
            return
        claim, self._state.ready_io = self._state.ready_io, []
        if self._state.ready_cpu:
            claim += self._fill_slots()
        if claim:
            await self._claim(claim)

    def _fill_slots(self) -> list[int]:
        """Start heavy nodes in free slots; return those that must be claimed first."""
        must_claim = self.shares_work
        claim: list[int] = []
        for _ in range(min(self._free_slots(), len(self._state.ready_cpu))):
            index = self._state.ready_cpu.pop(0)
            # Calls are counted where they may be repeated.
            if must_claim or self._plan.nodes[index].policy.attempts > 1:
                claim.append(index)
            else:
                self._attempts.start(index)
        return claim

    def _free_slots(self) -> int:
        nodes = self._plan.nodes
        busy = sum(nodes[index].type.kind is WorkKind.CPU for index in self._state.running)
        return self._dependencies.cpu_slots - busy

    async def _claim(self, claim: list[int]) -> None:
        state, shares_work = self._state, self.shares_work
        must_ask_for_help = shares_work and not state.is_shared
        if must_ask_for_help:
            # Helpers must not begin nodes that run here without a claim.
            claim = claim + [i for i in state.running if i not in state.claims]
        advanced = await self._recorder.record(
            claim=claim,
            reservations=self._settlement.reserve(claim),
            shares_work=shares_work,
        )
        await self._apply(advanced, claim)
        if advanced.verdict is not Verdict.OK:
            return
        if must_ask_for_help:
            state.is_shared = True
            await self._dependencies.request_help(self._claimed.reference)
        for index in claim:
            state.note_claim(index, self._claimed.fence, advanced.now)
            if index not in state.running:
                self._attempts.start(index)

    async def _record(self) -> None:
        await self._apply(await self._recorder.record())

    async def _apply(self, advanced: Advanced, claim: Sequence[int] = ()) -> None:
        """Take in the answer to a step, which claimed these nodes."""
        self._recorded_at = self._clock()
        is_asked, self._must_reconcile = self._must_reconcile, False
        self._attempts.note_step(advanced)
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True
        elif advanced.verdict is Verdict.CLOSED:
            self._cancel_unpaid()
        elif advanced.verdict is Verdict.CONFLICT:
            await self._reconcile(advanced, claim)
        elif advanced.unpaid is not None:
            self._settlement.fail_unpaid(advanced.verdict, advanced.unpaid)
        elif self._state.is_shared and advanced.codes:
            await self._reconcile(advanced)
        elif self._state.is_shared:
            # The reply was lost: the record may say more than this step did.
            self._must_reconcile = True
        if self._state.parked and advanced.verdict is Verdict.OK and advanced.codes:
            must_read = is_asked or advanced.is_woken
            await self._reconciler().check_parked(advanced, must_read=must_read)

    async def _reconcile(self, advanced: Advanced, claim: Sequence[int] = ()) -> None:
        await self._reconciler().reconcile(advanced, claim)

    def _reconciler(self) -> Reconciler:
        return Reconciler(
            *(self._claimed, self._state, self._dependencies.walks),
            *(self._recorder, self._output_store),
        )

    # -- leaving and ending -----------------------------------------------------------------------

    async def _leave(self) -> bool:
        # Another walker may have gone on with a node that was parked before.
        may_be_behind = self._state.is_shared or self._state.parked - self._recorder.parked
        if may_be_behind and (self._must_reconcile or not self._recorder.is_empty):
            await self._record()
            if self._must_continue() or self._must_reconcile or self._state.progress.is_done:
                return False
        left = await self._recorder.leave(shares_work=self._state.has_ready)
        if left.is_woken:
            await self._dependencies.request_help(self._claimed.reference)
        return await self._has_departed(left)

    def _end_status(self) -> ExecutionStatus | None:
        if self._settlement.failed is not None:
            return ExecutionStatus.FAILED
        if self._is_cancelled:
            return ExecutionStatus.CANCELLED
        if self._state.progress.is_done:
            return ExecutionStatus.COMPLETED
        return None

    async def _end(self, status: ExecutionStatus) -> bool:
        if status is ExecutionStatus.FAILED:
            await self._save_for_retry()
        self._attempts.abandon()
        await self._state.stop()
        progress = self._state.progress
        unfinished = [
            i for i in self._plan.models if progress.status(i) is not NodeStatus.COMPLETED
        ]
        jobs = await self._attempts.find_unfinished_jobs(unfinished)
        result = self._settlement.result if progress.is_done else b""
        ended = await self._recorder.end(
            status,
            result,
            self._settlement.error,
            plain=self._settlement.plain or b"",
            size=self._output_store.total,
            has_groups=self._attempts.has_children,
        )
        if not await self._has_departed(ended):
            return False
        count_end(self._claimed, status, ended.now, self._settlement.error)
        self._attempts.note_end()
        if self._call_spans is not None and status is ExecutionStatus.FAILED:
            self._call_spans.send_kept()
        await self._attempts.cancel_jobs(jobs)
        await self._output_store.remove_dropped()
        return True

    async def _has_departed(self, advanced: Advanced) -> bool:
        """Return whether the step that leaves or ends the execution is on record."""
        if advanced.verdict is Verdict.CONFLICT:
            await self._reconcile(advanced)
        elif advanced.verdict is Verdict.CANCEL:
            # A cancel comes first: no worker would come back for a retry.
            self._is_cancelled, self._settlement.failed = True, None
        elif advanced.verdict is Verdict.CLOSED:
            self._cancel_unpaid()
        else:
            return True
        return False

    def _cancel_unpaid(self) -> None:
        """End as cancelled, without outputs of nodes that the ended root did not pay for."""
        self._is_cancelled, self._settlement.failed = True, None
        self._settlement.result = b""
        self._recorder.drop_unpaid(self._state.claims)

    async def _save_for_retry(self) -> None:
        """Record the answers of running nodes, and settle nodes that have ended meanwhile."""
        failed = self._settlement.failed
        await self._attempts.flush()
        self._settle_ended()
        self._settlement.failed = failed
