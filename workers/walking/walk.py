"""The walk of one execution: run what is ready, record it, claim what is next, until it ends."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from engine import metrics, retry
from engine.executions import NODE_STATUSES, ExecutionStatus
from engine.graph import Plan
from engine.nodes.base import Kind, NodeFailed
from engine.progress import Progress
from engine.store.claims import Claimed, NodeClaim, parse_claims
from engine.store.records import pack
from engine.store.steps import Charge
from engine.store.walks import Advanced, Verdict
from workers.executor import Outcome, describe
from workers.walking.attempts import Attempts
from workers.walking.charging import Charging, unpaid_failure
from workers.walking.hand import UNTOUCHED, Hand
from workers.walking.holdings import Holdings
from workers.walking.means import Means
from workers.walking.memory import RunMemory
from workers.walking.recorder import NO_HOLDS, Recorder
from workers.walking.sharing import Sharing

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

    def __init__(self, claimed: Claimed, plan: Plan, means: Means, memory: RunMemory) -> None:
        self._claimed = claimed
        self._memory = memory
        self._plan = plan
        self._means = means
        self._recorder = Recorder(means.walks, claimed)
        self._clock = asyncio.get_running_loop().time
        self._started = self._recorded_at = self._clock()
        is_shared = claimed.record.get("holders", b"1") != b"1"
        self._hand = Hand(progress=Progress(plan, claimed.statuses), is_shared=is_shared)
        self._charging = Charging(claimed, plan)
        self._holdings = Holdings(means.asides, claimed, plan, means.max_bytes, memory)
        self._attempts = Attempts(claimed, plan, means, self._hand, self._holdings, memory)
        self._sharing = Sharing(claimed, self._hand, means.walks, self._recorder, self._holdings)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._ended: deque[tuple[int, float, Outcome]] = deque()
        self._is_heavy = False
        self._must_look = False
        self._is_cancelled = claimed.status is ExecutionStatus.CANCEL_REQUESTED
        self._failed: tuple[int, NodeFailed] | None = None
        self._result = pack(None)

    def cancel(self) -> None:
        """Stop running nodes and end the execution as cancelled."""
        self._is_cancelled = True
        self._hand.wake.set()

    def wake(self) -> None:
        """Look around: the process drains."""
        self._hand.wake.set()

    def look(self) -> None:
        """Ask the store whether this is still in hand and what other walkers have done."""
        self._must_look = True
        self._hand.wake.set()

    @property
    def wants_help(self) -> bool:
        """Whether heavy nodes wait for which another worker was asked."""
        return self._hand.is_shared and bool(self._hand.cpu)

    async def run(self) -> None:
        """Walk until the execution ends or nothing here can go on. Raises Gone or RecordBehind."""
        try:
            await self._restore()
            while not await self._turn():
                pass
        finally:
            await self._stop_running()
            await self._attempts.stop()
            for (node_type, code), count in self._counts.items():
                metrics.NODES_ENDED.labels(node_type, NODE_STATUSES[code].value).inc(count)

    async def _turn(self) -> bool:
        """One round: run, claim, wait. True when this worker is done with the execution."""
        await self._run_ready()
        status = self._end_status()
        if status is not None:
            return await self._end(status)
        await self._begin()
        if self._has_news():
            return False
        if not self._hand.running and not self._waits_here():
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
        if self._hand.progress.ready:
            return True
        if self._means.is_draining():
            return False
        has_room = self._running_cpu() < self._means.cpu_slots
        return bool(self._hand.io) or (bool(self._hand.cpu) and has_room)

    def _waits_here(self) -> bool:
        if self._means.is_draining():
            return False
        return self._waits_for_room() or self._hand.timers.has_within(HOLD_SECONDS)

    def _waits_for_room(self) -> bool:
        """Whether nodes could run if other executions held less."""
        return self._hand.has_ready and not self._memory.may_grow

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
            self._hand.claims = parse_claims(claimed.record)
            outputs = await self._holdings.read(claimed.record, range(len(claimed.statuses)))
            self._hand.progress = Progress(self._plan, claimed.statuses, outputs)
            self._hand.elsewhere = {i for i, code in enumerate(claimed.statuses) if code == "r"}
        for skipped in self._hand.progress.take_skipped():
            self._recorder.add_skipped(skipped)  # whoever settled the last of its sources left
        for index, code in enumerate(claimed.statuses):
            if code == "t":
                self._hand.wait_for(index, (self._hand.claims[index].at - claimed.now) / 1000)

    # -- running ----------------------------------------------------------------------------------

    async def _run_ready(self) -> None:
        progress, nodes = self._hand.progress, self._plan.nodes
        while progress.ready and self._failed is None and not self._is_cancelled:
            if not self._memory.may_grow:
                return
            index = progress.ready.popleft()
            if progress.status(index) != "p":
                continue  # another walker has settled it meanwhile
            kind = nodes[index].type.kind
            if self._hand.claims and self._hand.claims.get(index, UNTOUCHED).lost >= MAX_LOST:
                lost = NodeFailed("worker_lost", f"The worker died {MAX_LOST} times at this node")
                self._finish(index, self._clock(), Outcome(failure=lost))
            elif kind is Kind.PURE:
                await self._run_here(index)
            elif kind is Kind.IO:
                self._hand.io.append(index)
            else:
                self._hand.cpu.append(index)

    async def _run_here(self, index: int) -> None:
        started = self._clock()
        outcome = await self._attempts.run(index)
        if self._holdings.fits(index, outcome):
            self._finish(index, started, outcome)
            return
        # Where large outputs are kept may be slow; other nodes need not wait for it.
        self._hand.progress.begin(index)
        self._hand.start(index, self._store(index, started, outcome))

    def _start(self, index: int) -> None:
        self._hand.progress.begin(index)
        self._hand.start(index, self._run_apart(index))

    async def _run_apart(self, index: int) -> None:
        started = self._clock()
        outcome = await self._attempts.run(index)
        node_type = self._plan.nodes[index].type.type
        metrics.NODE_SECONDS.labels(node_type).observe(self._clock() - started)
        if self._holdings.fits(index, outcome):
            self._hand_in(index, started, outcome)
        else:
            await self._store(index, started, outcome)

    async def _store(self, index: int, started: float, outcome: Outcome) -> None:
        seconds = self._plan.nodes[index].policy.timeout_seconds
        left = None if seconds is None else started + seconds - self._clock()
        self._hand_in(index, started, await self._holdings.store(index, outcome, left))

    def _hand_in(self, index: int, started: float, outcome: Outcome) -> None:
        self._ended.append((index, started, outcome))
        self._hand.wake.set()

    # -- claiming ---------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._means.is_draining() or not self._memory.may_grow:
            return
        claim, self._hand.io = self._hand.io, []
        must_claim = self._hand.is_shared or self._must_ship()
        free = self._means.cpu_slots - self._running_cpu()
        for _ in range(min(free, len(self._hand.cpu))):
            index = self._hand.cpu.popleft()
            # Calls are counted where they may be repeated.
            if must_claim or self._plan.nodes[index].policy.attempts > 1:
                claim.append(index)
            else:
                self._start(index)
        if claim:
            await self._claim(claim)

    def _running_cpu(self) -> int:
        nodes = self._plan.nodes
        return sum(nodes[index].type.kind is Kind.CPU for index in self._hand.running)

    def _must_ship(self) -> bool:
        return self._is_heavy and len(self._hand.cpu) > self._means.cpu_slots

    async def _claim(self, claim: list[int]) -> None:
        ships = bool(self._hand.cpu) and (self._hand.is_shared or self._must_ship())
        if ships and not self._hand.is_shared:
            # What runs here without a claim must not be begun by whoever comes to help.
            claim = claim + [i for i in self._hand.running if i not in self._hand.claims]
        holds = {i: self._hold(i) for i in claim if i in self._plan.models}
        advanced = await self._record(claim=claim, holds=holds, offered=ships)
        if advanced.verdict is not Verdict.OK:
            return
        if ships and not self._hand.is_shared:
            self._hand.is_shared = True
            await self._means.ask_help(self._claimed.reference)
        for index in claim:
            before = self._hand.claims.get(index, UNTOUCHED)
            self._hand.claims[index] = NodeClaim(
                self._claimed.fence, before.attempts + 1, advanced.now, before.lost
            )
            if index not in self._hand.running:
                self._start(index)

    def _hold(self, index: int) -> int:
        delivered = self._hand.progress.delivered(index)
        return self._charging.hold(index, self._hand.progress.inputs(index, delivered))

    async def _record(
        self,
        claim: Sequence[int] = (),
        *,
        holds: Mapping[int, int] = NO_HOLDS,
        offered: bool = False,
    ) -> Advanced:
        advanced = await self._recorder.record(claim=claim, holds=holds, offered=offered)
        self._recorded_at = self._clock()
        self._must_look = False
        self._attempts.note(advanced)
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True
        elif advanced.verdict is Verdict.CONFLICT:
            await self._sharing.reconcile(advanced, claim)
        elif advanced.unpaid is not None:
            self._failed = (
                advanced.unpaid.index,
                unpaid_failure(advanced.verdict, advanced.unpaid),
            )
        elif self._hand.is_shared and advanced.statuses:
            await self._sharing.reconcile(advanced)
        elif self._hand.is_shared:
            self._must_look = True  # the reply was lost: the record may say more than this step did
        return advanced

    # -- outcomes ---------------------------------------------------------------------------------

    async def _wait(self) -> None:
        self._means.rest(self._claimed.reference)
        wake = self._hand.wake
        if self._waits_for_room():
            self._memory.call_when_room(wake.set)
        await wake.wait()
        wake.clear()
        if self._hand.broken is not None:
            raise self._hand.broken
        while self._ended:
            index, started, outcome = self._ended.popleft()
            if self._hand.running.pop(index, None) is not None:
                self._finish(index, started, outcome)
                self._weigh(index, started)

    def _weigh(self, index: int, started: float) -> None:
        if self._plan.nodes[index].type.kind is Kind.CPU:
            self._is_heavy = self._clock() - started > SHIP_SECONDS

    def _finish(self, index: int, started: float, outcome: Outcome) -> None:
        node = self._plan.nodes[index]
        claim = self._hand.claims.get(index)
        attempts = 1 if claim is None else claim.attempts
        failure = outcome.failure
        if failure is not None and claim is not None and self._retries(index, claim, failure):
            return
        is_output = index == self._plan.response_output
        duration = self._clock() - started
        self._counts[(node.type.type, "c" if failure is None else "f")] += 1
        self._recorder.add_settled(
            index,
            "c" if failure is None else "f",
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
        self._hand.progress.settle(
            index,
            "c" if failure is None else "f",
            outcome.outputs if failure is None else None,
        )
        for skipped in self._hand.progress.take_skipped():
            self._recorder.add_skipped(skipped)

    def _charge(self, index: int, outcome: Outcome) -> Charge | None:
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
        self._hand.progress.put_off(index)
        self._hand.wait_for(index, delay)
        return True

    # -- leaving and ending -----------------------------------------------------------------------

    async def _leave(self) -> bool:
        if self._hand.is_shared and (self._must_look or not self._recorder.is_empty):
            await self._record()
            if self._has_news() or self._must_look or self._hand.progress.is_done:
                return False
        advanced = await self._recorder.leave(hands_over=self._hand.has_ready)
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True  # nobody would come back for the retry
            return False
        if advanced.verdict is Verdict.CONFLICT:
            await self._sharing.reconcile(advanced)
            return False
        return True

    def _end_status(self) -> ExecutionStatus | None:
        if self._failed is not None:
            return ExecutionStatus.FAILED
        if self._is_cancelled:
            return ExecutionStatus.CANCELLED
        if self._hand.progress.is_done:
            return ExecutionStatus.COMPLETED
        return None

    async def _end(self, status: ExecutionStatus) -> bool:
        self._attempts.give_up()
        await self._stop_running()
        unfinished = [i for i in self._plan.models if self._hand.progress.status(i) != "c"]
        left = await self._attempts.find_left(unfinished)
        result = self._result if self._hand.progress.is_done else b""
        error = self._failed and describe(self._plan.nodes[self._failed[0]].name, self._failed[1])
        advanced = await self._recorder.end(status, result, error)
        if advanced.verdict is Verdict.CONFLICT:
            await self._sharing.reconcile(advanced)
            return False
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled, self._failed = True, None
            return False
        metrics.EXECUTIONS_ENDED.labels(status.value).inc()
        await self._attempts.cancel(left)
        return True

    async def _stop_running(self) -> None:
        self._hand.timers.stop()
        tasks = list(self._hand.running.values())
        self._hand.running.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
