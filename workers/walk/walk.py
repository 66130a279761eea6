"""The walk of one execution: run what is ready, record it, claim what is next, until it ends."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from engine import metrics
from engine.errors.nodes import NodeFailed
from engine.executions import retry
from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.nodes.support.base import WorkKind
from engine.store.executions.claims import ClaimedExecution, NodeClaim, parse_claims
from engine.store.executions.steps import Charge
from engine.store.executions.walks import Advanced, Verdict
from engine.store.redis.records import pack
from workers.nodes.executor import AttemptOutcome, describe
from workers.walk.attempts import Attempts
from workers.walk.charging import Charging, unpaid_failure
from workers.walk.dependencies import WalkDependencies
from workers.walk.memory import RunMemory
from workers.walk.outputs import OutputStore
from workers.walk.reconciler import Reconciler
from workers.walk.recorder import NO_RESERVATIONS, Recorder
from workers.walk.state import UNTOUCHED, WalkState

FLUSH_SECONDS = 0.05
"""Local work that took this long is recorded before more is waited for."""
SHIP_SECONDS = 0.025
"""When heavy nodes take this long and more of them wait, other workers are asked to help."""
HOLD_SECONDS = 1.0
"""A retry due within this time is waited for; for a later one the execution is left."""
MAX_LOST = 3
"""A node whose worker died this often is failed, lest it take down one worker after another."""


class Walk:
    """One execution in this worker's hands, from the claim until it ends or is left."""

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
        self._recorder = Recorder(dependencies.walks, claimed)
        self._clock = asyncio.get_running_loop().time
        self._started = self._recorded_at = self._clock()
        is_shared = claimed.record.get("holders", b"1") != b"1"
        self._state = WalkState(progress=Progress(plan, claimed.statuses), is_shared=is_shared)
        self._charging = Charging(claimed, plan)
        self._output_store = OutputStore(
            dependencies.offloaded, claimed, plan, dependencies.max_bytes, memory
        )
        self._attempts = Attempts(
            claimed, plan, dependencies, self._state, self._output_store, memory
        )
        self._reconciler = Reconciler(
            claimed, self._state, dependencies.walks, self._recorder, self._output_store
        )
        self._counts: Counter[tuple[str, NodeStatus]] = Counter()
        self._ended: deque[tuple[int, float, AttemptOutcome]] = deque()
        self._is_heavy = False
        self._must_look = False
        self._is_cancelled = claimed.status is ExecutionStatus.CANCEL_REQUESTED
        self._failed: tuple[int, NodeFailed] | None = None
        self._result = pack(None)

    def cancel(self) -> None:
        """Stop running nodes and end the execution as cancelled."""
        self._is_cancelled = True
        self._state.wake.set()

    def wake(self) -> None:
        """Look around: the process drains."""
        self._state.wake.set()

    def look(self) -> None:
        """Ask the store whether this is still in hand and what other walkers have done."""
        self._must_look = True
        self._state.wake.set()

    @property
    def wants_help(self) -> bool:
        """Whether heavy nodes wait for which another worker was asked."""
        return self._state.is_shared and bool(self._state.cpu)

    async def run(self) -> None:
        """Walk until the execution ends or nothing here can go on. Raises Gone or RecordBehind."""
        try:
            await self._restore()
            while not await self._turn():
                pass
        finally:
            await self._stop_running()
            await self._attempts.stop()
            for (node_type, status), count in self._counts.items():
                metrics.NODES_ENDED.labels(node_type, status.value).inc(count)

    async def _turn(self) -> bool:
        """One round: run, claim, wait. True when this worker is done with the execution."""
        await self._run_ready()
        status = self._end_status()
        if status is not None:
            return await self._end(status)
        await self._begin()
        if self._has_news():
            return False
        if not self._state.running and not self._waits_here():
            return await self._leave()
        if self._must_record():
            await self._record()
            if self._has_news() or self._must_look:
                return False
        await self._wait()
        return False

    def _has_news(self) -> bool:
        if self._is_cancelled or self._failed is not None:
            return True
        if not self._memory.may_grow:
            return False
        if self._state.progress.ready:
            return True
        if self._dependencies.is_draining():
            return False
        has_room = self._running_cpu() < self._dependencies.cpu_slots
        return bool(self._state.io) or (bool(self._state.cpu) and has_room)

    def _waits_here(self) -> bool:
        if self._dependencies.is_draining():
            return False
        return self._waits_for_room() or self._state.timers.has_within(HOLD_SECONDS)

    def _waits_for_room(self) -> bool:
        """Whether nodes could run if other executions held less."""
        return self._state.has_ready and not self._memory.may_grow

    def _must_record(self) -> bool:
        if self._must_look:
            return True
        if self._recorder.is_empty:
            return False
        if self._waits_for_room():
            return True
        is_old = self._clock() - self._recorded_at > FLUSH_SECONDS
        return is_old or self._recorder.must_record

    # -- what was on record -----------------------------------------------------------------------

    async def _restore(self) -> None:
        claimed = self._claimed
        if claimed.fence > 1:
            self._state.claims = parse_claims(claimed.record)
            outputs = await self._output_store.read(claimed.record, range(len(claimed.statuses)))
            self._state.progress = Progress(self._plan, claimed.statuses, outputs)
            running = {i for i, each in enumerate(claimed.statuses) if each is NodeStatus.RUNNING}
            self._state.elsewhere = running
        for skipped in self._state.progress.take_skipped():
            self._recorder.add_skipped(skipped)  # whoever settled the last of its sources left
        for index, status in enumerate(claimed.statuses):
            if status is NodeStatus.RETRYING:
                self._state.wait_for(index, (self._state.claims[index].at - claimed.now) / 1000)

    # -- running ----------------------------------------------------------------------------------

    async def _run_ready(self) -> None:
        progress, nodes = self._state.progress, self._plan.nodes
        while progress.ready and self._failed is None and not self._is_cancelled:
            if not self._memory.may_grow:
                return
            index = progress.ready.popleft()
            if progress.status(index) is not NodeStatus.PENDING:
                continue  # another walker has settled it meanwhile
            kind = nodes[index].type.kind
            if self._state.claims and self._state.claims.get(index, UNTOUCHED).lost >= MAX_LOST:
                lost = NodeFailed("worker_lost", f"The worker died {MAX_LOST} times at this node")
                self._finish(index, self._clock(), AttemptOutcome(failure=lost))
            elif kind is WorkKind.PURE:
                await self._run_here(index)
            elif kind is WorkKind.IO:
                self._state.io.append(index)
            else:
                self._state.cpu.append(index)

    async def _run_here(self, index: int) -> None:
        started = self._clock()
        outcome = await self._attempts.run(index)
        if self._output_store.fits(index, outcome):
            self._finish(index, started, outcome)
            return
        # Where large outputs are kept may be slow; other nodes need not wait for it.
        self._state.progress.begin(index)
        self._state.start(index, self._store(index, started, outcome))

    def _start(self, index: int) -> None:
        self._state.progress.begin(index)
        self._state.start(index, self._run_apart(index))

    async def _run_apart(self, index: int) -> None:
        started = self._clock()
        outcome = await self._attempts.run(index)
        node_type = self._plan.nodes[index].type.type
        metrics.NODE_SECONDS.labels(node_type).observe(self._clock() - started)
        if self._output_store.fits(index, outcome):
            self._hand_in(index, started, outcome)
        else:
            await self._store(index, started, outcome)

    async def _store(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        seconds = self._plan.nodes[index].policy.timeout_seconds
        left = None if seconds is None else started + seconds - self._clock()
        self._hand_in(index, started, await self._output_store.store(index, outcome, left))

    def _hand_in(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        self._ended.append((index, started, outcome))
        self._state.wake.set()

    # -- claiming ---------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._dependencies.is_draining() or not self._memory.may_grow:
            return
        claim, self._state.io = self._state.io, []
        must_claim = self._state.is_shared or self._must_ship()
        free = self._dependencies.cpu_slots - self._running_cpu()
        for _ in range(min(free, len(self._state.cpu))):
            index = self._state.cpu.popleft()
            # Calls are counted where they may be repeated.
            if must_claim or self._plan.nodes[index].policy.attempts > 1:
                claim.append(index)
            else:
                self._start(index)
        if claim:
            await self._claim(claim)

    def _running_cpu(self) -> int:
        nodes = self._plan.nodes
        return sum(nodes[index].type.kind is WorkKind.CPU for index in self._state.running)

    def _must_ship(self) -> bool:
        return self._is_heavy and len(self._state.cpu) > self._dependencies.cpu_slots

    async def _claim(self, claim: list[int]) -> None:
        ships = bool(self._state.cpu) and (self._state.is_shared or self._must_ship())
        if ships and not self._state.is_shared:
            # What runs here without a claim must not be begun by whoever comes to help.
            claim = claim + [i for i in self._state.running if i not in self._state.claims]
        reservations = {i: self._reservation_of(i) for i in claim if i in self._plan.models}
        advanced = await self._record(claim=claim, reservations=reservations, offered=ships)
        if advanced.verdict is not Verdict.OK:
            return
        if ships and not self._state.is_shared:
            self._state.is_shared = True
            await self._dependencies.ask_help(self._claimed.reference)
        for index in claim:
            before = self._state.claims.get(index, UNTOUCHED)
            self._state.claims[index] = NodeClaim(
                self._claimed.fence, before.attempts + 1, advanced.now, before.lost
            )
            if index not in self._state.running:
                self._start(index)

    def _reservation_of(self, index: int) -> int:
        delivered = self._state.progress.delivered(index)
        return self._charging.reservation_of(index, self._state.progress.inputs(index, delivered))

    async def _record(
        self,
        claim: Sequence[int] = (),
        *,
        reservations: Mapping[int, int] = NO_RESERVATIONS,
        offered: bool = False,
    ) -> Advanced:
        advanced = await self._recorder.record(
            claim=claim, reservations=reservations, offered=offered
        )
        self._recorded_at = self._clock()
        self._must_look = False
        self._attempts.note(advanced)
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True
        elif advanced.verdict is Verdict.CONFLICT:
            await self._reconciler.reconcile(advanced, claim)
        elif advanced.unpaid is not None:
            self._failed = (
                advanced.unpaid.index,
                unpaid_failure(advanced.verdict, advanced.unpaid),
            )
        elif self._state.is_shared and advanced.statuses:
            await self._reconciler.reconcile(advanced)
        elif self._state.is_shared:
            self._must_look = True  # the reply was lost: the record may say more than this step did
        return advanced

    # -- outcomes ---------------------------------------------------------------------------------

    async def _wait(self) -> None:
        self._dependencies.rest(self._claimed.reference)
        wake = self._state.wake
        if self._waits_for_room():
            self._memory.call_when_room(wake.set)
        await wake.wait()
        wake.clear()
        if self._state.broken is not None:
            raise self._state.broken
        while self._ended:
            index, started, outcome = self._ended.popleft()
            if self._state.running.pop(index, None) is not None:
                self._finish(index, started, outcome)
                self._weigh(index, started)

    def _weigh(self, index: int, started: float) -> None:
        if self._plan.nodes[index].type.kind is WorkKind.CPU:
            self._is_heavy = self._clock() - started > SHIP_SECONDS

    def _finish(self, index: int, started: float, outcome: AttemptOutcome) -> None:
        node = self._plan.nodes[index]
        claim = self._state.claims.get(index)
        attempts = 1 if claim is None else claim.attempts
        failure = outcome.failure
        if failure is not None and claim is not None and self._retries(index, claim, failure):
            return
        is_output = index == self._plan.response_output
        duration = self._clock() - started
        status = NodeStatus.COMPLETED if failure is None else NodeStatus.FAILED
        self._counts[(node.type.type, status)] += 1
        self._recorder.add_settled(
            index,
            status,
            attempts=attempts,
            started_at=self._claimed.now + int((started - self._started) * 1000),
            duration_ms=int(duration * 1000),
            failure=failure,
            outputs=None if is_output or failure else outcome.aside or outcome.packed,
            charge=None if failure is not None else self._charge(index, outcome),
        )
        if claim is not None or failure is not None:
            self._recorder.must_record = True
        if failure is not None and node.policy.on_error == "fail":
            self._failed = (index, failure)
            return
        if is_output and failure is None:
            self._result = outcome.packed
        outputs = outcome.outputs if failure is None else None
        self._state.progress.settle(index, status, outputs)
        for skipped in self._state.progress.take_skipped():
            self._recorder.add_skipped(skipped)

    def _charge(self, index: int, outcome: AttemptOutcome) -> Charge | None:
        return self._charging.charge(index, outcome.usage, outcome.fallback_micro_usd)

    def _retries(self, index: int, claim: NodeClaim, failure: NodeFailed) -> bool:
        if not failure.retryable:
            return False
        policy = self._plan.nodes[index].policy
        delay = retry.delay_seconds(
            attempt=claim.attempts - claim.lost,
            attempts=policy.attempts,
            backoff=policy.backoff,
            retry_after=failure.retry_after,
            jitter=retry.draw_jitter(),
        )
        if delay is None:
            return False
        self._recorder.add_retry(index, delay)
        self._state.progress.postpone(index)
        self._state.wait_for(index, delay)
        return True

    # -- leaving and ending -----------------------------------------------------------------------

    async def _leave(self) -> bool:
        if self._state.is_shared and (self._must_look or not self._recorder.is_empty):
            await self._record()
            if self._has_news() or self._must_look or self._state.progress.is_done:
                return False
        advanced = await self._recorder.leave(hands_over=self._state.has_ready)
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True  # nobody would come back for the retry
            return False
        if advanced.verdict is Verdict.CONFLICT:
            await self._reconciler.reconcile(advanced)
            return False
        return True

    def _end_status(self) -> ExecutionStatus | None:
        if self._failed is not None:
            return ExecutionStatus.FAILED
        if self._is_cancelled:
            return ExecutionStatus.CANCELLED
        if self._state.progress.is_done:
            return ExecutionStatus.COMPLETED
        return None

    async def _end(self, status: ExecutionStatus) -> bool:
        self._attempts.give_up()
        await self._stop_running()
        progress, done = self._state.progress, NodeStatus.COMPLETED
        unfinished = [i for i in self._plan.models if progress.status(i) is not done]
        left = await self._attempts.find_left(unfinished)
        result = self._result if progress.is_done else b""
        error = self._failed and describe(self._plan.nodes[self._failed[0]].name, self._failed[1])
        advanced = await self._recorder.end(status, result, error)
        if advanced.verdict is Verdict.CONFLICT:
            await self._reconciler.reconcile(advanced)
            return False
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled, self._failed = True, None
            return False
        metrics.EXECUTIONS_ENDED.labels(status.value).inc()
        await self._attempts.cancel(left)
        return True

    async def _stop_running(self) -> None:
        self._state.timers.stop()
        tasks = list(self._state.running.values())
        self._state.running.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
