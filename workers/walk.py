"""The walk of one execution: run what is ready, record it, claim what is next, until it ends."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from engine import metrics, retry
from engine.executions import NODE_STATUSES, ExecutionStatus
from engine.graph import Plan
from engine.nodes.base import Kind, NodeFailed
from engine.progress import SETTLED, Progress
from engine.store.records import pack
from engine.store.walks import Advanced, Claimed, NodeClaim, Verdict, parse_claims
from workers.charging import Charging, unpaid_failure
from workers.executor import Outcome, describe
from workers.holdings import Holdings
from workers.means import Means
from workers.recorder import NO_HOLDS, Recorder
from workers.timers import Timers

FLUSH_SECONDS = 0.05
"""Local work that took this long is recorded before more is waited for."""
SHIP_SECONDS = 0.025
"""When heavy nodes take this long and more of them wait, other workers are asked to help."""
HOLD_SECONDS = 1.0
"""A retry due within this time is waited for; for a later one the execution is left."""
CONTESTED_SECONDS = 0.05
MAX_LOST = 3
"""A node whose worker died this often is failed, lest it take down one worker after another."""
UNTOUCHED = NodeClaim(0, 0, 0, 0)


class Walk:
    """One execution in this worker's hands, from the claim until it ends or is left."""

    def __init__(self, claimed: Claimed, plan: Plan, means: Means) -> None:
        self._claimed = claimed
        self._plan = plan
        self._means = means
        self._recorder = Recorder(means.walks, claimed, means.worker_id)
        self._clock = asyncio.get_running_loop().time
        self._started = self._recorded_at = self._clock()
        self._progress = Progress(plan, claimed.statuses)
        self._claims: dict[int, NodeClaim] = {}
        self._charging = Charging(claimed, plan)
        self._holdings = Holdings(means.walks, claimed, means.max_bytes)
        self._counts: Counter[tuple[str, str]] = Counter()
        self._io: list[int] = []
        self._cpu: deque[int] = deque()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._ended: deque[tuple[int, float, Outcome]] = deque()
        self._timers = Timers()
        self._wake = asyncio.Event()
        self._is_shared = claimed.record.get("holders", b"1") != b"1"
        self._is_heavy = False
        self._must_look = False
        self._elsewhere: set[int] = set()
        self._is_cancelled = claimed.status is ExecutionStatus.CANCEL_REQUESTED
        self._failed: tuple[int, NodeFailed] | None = None
        self._result = pack(None)

    def cancel(self) -> None:
        """Stop running nodes and end the execution as cancelled."""
        self._is_cancelled = True
        self._wake.set()

    def wake(self) -> None:
        """Look around: the process drains."""
        self._wake.set()

    def look(self) -> None:
        """Ask the store whether this is still in hand and what other walkers have done."""
        self._must_look = True
        self._wake.set()

    @property
    def wants_help(self) -> bool:
        """Whether heavy nodes wait for which another worker was asked."""
        return self._is_shared and bool(self._cpu)

    async def run(self) -> None:
        """Walk until the execution ends or nothing here can go on. Raises Gone."""
        try:
            await self._restore()
            while not await self._turn():
                pass
        finally:
            await self._stop_running()
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
        if not self._running and not self._waits_here():
            return await self._leave()
        if self._must_record():
            await self._record()
            if self._has_news():
                return False
        await self._wait()
        return False

    def _has_news(self) -> bool:
        if self._is_cancelled or self._failed is not None or self._progress.ready:
            return True
        if self._means.is_draining():
            return False
        has_room = self._running_cpu() < self._means.cpu_slots
        return bool(self._io) or (bool(self._cpu) and has_room)

    def _waits_here(self) -> bool:
        if self._means.is_draining():
            return False
        return self._timers.has_within(HOLD_SECONDS)

    def _must_record(self) -> bool:
        if self._must_look:
            return True
        if self._recorder.is_empty:
            return False
        is_old = self._clock() - self._recorded_at > FLUSH_SECONDS
        return is_old or self._recorder.must_record

    # -- what was on record -----------------------------------------------------------------------

    async def _restore(self) -> None:
        claimed = self._claimed
        if claimed.fence > 1:
            self._claims = parse_claims(claimed.record)
            outputs = await self._holdings.read(claimed.record, range(len(claimed.statuses)))
            self._progress = Progress(self._plan, claimed.statuses, outputs)
            self._elsewhere = {i for i, code in enumerate(claimed.statuses) if code == "r"}
        for index, code in enumerate(claimed.statuses):
            if code == "t":
                self._timers.start(
                    index, (self._claims[index].at - claimed.now) / 1000, self._is_due
                )

    # -- running ----------------------------------------------------------------------------------

    async def _run_ready(self) -> None:
        progress, nodes = self._progress, self._plan.nodes
        while progress.ready and self._failed is None and not self._is_cancelled:
            index = progress.ready.popleft()
            if progress.status(index) != "p":
                continue  # another walker has settled it meanwhile
            kind = nodes[index].type.kind
            if self._claims and self._claims.get(index, UNTOUCHED).lost >= MAX_LOST:
                lost = NodeFailed("worker_lost", f"The worker died {MAX_LOST} times at this node")
                self._finish(index, self._clock(), Outcome(failure=lost))
            elif kind is Kind.PURE:
                started = self._clock()
                self._finish(index, started, await self._attempt(index))
            elif kind is Kind.IO:
                self._io.append(index)
            else:
                self._cpu.append(index)

    async def _attempt(self, index: int) -> Outcome:
        delivered = self._progress.delivered(index)
        too_large = self._holdings.weigh(wire.source for wire, _ in delivered)
        if too_large is not None:
            return Outcome(failure=too_large)
        inputs = self._progress.inputs(index, delivered)
        return await self._means.executor.run(
            self._plan.nodes[index], self._claimed.inputs, inputs, delivered
        )

    def _start(self, index: int) -> None:
        self._progress.begin(index)
        self._running[index] = asyncio.create_task(self._run_apart(index))

    async def _run_apart(self, index: int) -> None:
        started = self._clock()
        outcome = await self._attempt(index)
        node_type = self._plan.nodes[index].type.type
        metrics.NODE_SECONDS.labels(node_type).observe(self._clock() - started)
        self._ended.append((index, started, outcome))
        self._wake.set()

    # -- claiming ---------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._means.is_draining():
            return
        claim, self._io = self._io, []
        must_claim = self._is_shared or self._must_ship()
        free = self._means.cpu_slots - self._running_cpu()
        for _ in range(min(free, len(self._cpu))):
            index = self._cpu.popleft()
            # Calls are counted where they may be repeated.
            if must_claim or self._plan.nodes[index].policy.attempts > 1:
                claim.append(index)
            else:
                self._start(index)
        if claim:
            await self._claim(claim)

    def _running_cpu(self) -> int:
        nodes = self._plan.nodes
        return sum(nodes[index].type.kind is Kind.CPU for index in self._running)

    def _must_ship(self) -> bool:
        return self._is_heavy and len(self._cpu) > self._means.cpu_slots

    async def _claim(self, claim: list[int]) -> None:
        nodes = self._plan.nodes
        ships = bool(self._cpu) and (self._is_shared or self._must_ship())
        if ships and not self._is_shared:
            # What runs here without a claim must not be begun by whoever comes to help.
            local = [i for i in self._running if nodes[i].type.kind is Kind.CPU]
            claim = claim + [i for i in local if i not in self._claims]
        holds = {i: self._hold(i) for i in claim if i in self._plan.models}
        advanced = await self._record(claim=claim, holds=holds, offered=ships)
        if advanced.verdict is not Verdict.OK:
            return
        if ships and not self._is_shared:
            self._is_shared = True
            await self._means.ask_help(self._claimed.reference)
        for index in claim:
            before = self._claims.get(index, UNTOUCHED)
            self._claims[index] = NodeClaim(
                self._claimed.fence, before.attempts + 1, advanced.now, before.lost
            )
            if index not in self._running:
                self._start(index)

    def _hold(self, index: int) -> int:
        delivered = self._progress.delivered(index)
        return self._charging.hold(index, self._progress.inputs(index, delivered))

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
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True
        elif advanced.verdict is Verdict.CONFLICT:
            await self._reconcile(advanced, claim)
        elif advanced.unpaid is not None:
            self._failed = (
                advanced.unpaid.index,
                unpaid_failure(advanced.verdict, advanced.unpaid),
            )
        elif self._is_shared:
            await self._reconcile(advanced)
        return advanced

    async def _reconcile(self, advanced: Advanced, claim: Sequence[int] = ()) -> None:
        """Take over what other walkers of this execution have done or begun."""
        self._is_shared = True
        progress, statuses = self._progress, advanced.statuses
        settled = {i for i, code in enumerate(statuses) if code in SETTLED}
        self._recorder.drop(settled)
        news = {i for i in settled if progress.status(i) not in SETTLED}
        begun = {i for i in (*claim, *self._cpu) if statuses[i] == "r"} - set(self._running)
        for index in begun:
            progress.begin(index)
        self._cpu = deque(i for i in self._cpu if i not in begun)
        self._elsewhere = (self._elsewhere | begun) - settled
        progress.ready.extend(i for i in claim if statuses[i] == "p" and i not in self._running)
        left = {i for i in self._elsewhere if statuses[i] in "pt"}
        await self._resume(left | {i for i in claim if statuses[i] == "t"}, advanced)
        if news:
            await self._take_over(statuses, news)
        if self._is_contested(statuses):
            await asyncio.sleep(CONTESTED_SECONDS)

    async def _resume(self, indexes: set[int], advanced: Advanced) -> None:
        """Go on with what another walker has lost or put off: it may not come back."""
        if not indexes:
            return
        claimed = self._claimed
        record = await self._means.walks.records(claimed.account_id, claimed.execution_id)
        claims = parse_claims(record)
        self._elsewhere -= indexes
        for index in sorted(indexes):
            self._claims[index] = claims.get(index, UNTOUCHED)
            if advanced.statuses[index] == "t":
                self._timers.start(
                    index, (self._claims[index].at - advanced.now) / 1000, self._is_due
                )
            else:
                self._progress.give_back(index)

    def _is_contested(self, statuses: str) -> bool:
        """Whether others have begun what was done here without a claim: theirs will count."""
        fence = self._claimed.fence
        return any(
            statuses[i] == "r" and self._claims.get(i, UNTOUCHED).fence != fence
            for i in self._recorder.settled
        )

    async def _take_over(self, statuses: str, news: set[int]) -> None:
        claimed = self._claimed
        record = await self._means.walks.records(claimed.account_id, claimed.execution_id)
        outputs = await self._holdings.read(record, news)
        self._cpu = deque(i for i in self._cpu if i not in news)
        self._io = [i for i in self._io if i not in news]
        for index in sorted(news):
            if index in self._running:
                self._running.pop(index).cancel()
            self._progress.settle(index, statuses[index], outputs.get(index))
        for index in self._progress.take_skipped():
            if statuses[index] not in SETTLED:
                self._recorder.add_skipped(index)

    # -- outcomes ---------------------------------------------------------------------------------

    async def _wait(self) -> None:
        self._means.rest(self._claimed.reference)
        await self._wake.wait()
        self._wake.clear()
        while self._ended:
            index, started, outcome = self._ended.popleft()
            if self._running.pop(index, None) is not None:
                self._finish(index, started, outcome)
                self._weigh(index, started)

    def _weigh(self, index: int, started: float) -> None:
        if self._plan.nodes[index].type.kind is Kind.CPU:
            self._is_heavy = self._clock() - started > SHIP_SECONDS

    def _finish(self, index: int, started: float, outcome: Outcome) -> None:
        node = self._plan.nodes[index]
        claim = self._claims.get(index)
        attempts = 1 if claim is None else claim.attempts
        failure = outcome.failure or self._holdings.add(index, len(outcome.packed))
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
            outputs=None if is_output or failure is not None else outcome.packed,
            charge=None if failure is not None else self._charging.charge(index, outcome.usage),
        )
        if claim is not None or failure is not None:
            self._recorder.must_record = True
        if failure is not None and node.policy.on_error == "fail":
            self._failed = (index, failure)
            return
        if is_output and outcome.outputs is not None and failure is None:
            self._result = pack(outcome.outputs["result"])
        self._progress.settle(
            index,
            "c" if failure is None else "f",
            outcome.outputs if failure is None else None,
        )
        for skipped in self._progress.take_skipped():
            self._recorder.add_skipped(skipped)

    def _retries(self, index: int, claim: NodeClaim, failure: NodeFailed) -> bool:
        if not failure.retryable:
            return False
        policy = self._plan.nodes[index].policy
        delay = retry.delay_seconds(
            attempt=claim.attempts - claim.lost, attempts=policy.attempts, backoff=policy.backoff
        )
        if delay is None:
            return False
        self._recorder.add_retry(index, delay)
        self._progress.put_off(index)
        self._timers.start(index, delay, self._is_due)
        return True

    def _is_due(self, index: int) -> None:
        self._io.append(index)
        self._wake.set()

    # -- leaving and ending -----------------------------------------------------------------------

    async def _leave(self) -> bool:
        if self._is_shared and not self._recorder.is_empty:
            await self._record()
            if self._has_news() or self._progress.is_done:
                return False
        advanced = await self._recorder.leave(hands_over=bool(self._io or self._cpu))
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled = True  # nobody would come back for the retry
            return False
        if advanced.verdict is Verdict.CONFLICT:
            await self._reconcile(advanced)
            return False
        return True

    def _end_status(self) -> ExecutionStatus | None:
        if self._failed is not None:
            return ExecutionStatus.FAILED
        if self._is_cancelled:
            return ExecutionStatus.CANCELLED
        if self._progress.is_done:
            return ExecutionStatus.COMPLETED
        return None

    async def _end(self, status: ExecutionStatus) -> bool:
        await self._stop_running()
        result = self._result if self._progress.is_done else b""
        error = self._failed and describe(self._plan.nodes[self._failed[0]], self._failed[1])
        advanced = await self._recorder.end(status, result, error)
        if advanced.verdict is Verdict.CONFLICT:
            await self._reconcile(advanced)
            return False
        if advanced.verdict is Verdict.CANCEL:
            self._is_cancelled, self._failed = True, None
            return False
        metrics.EXECUTIONS_ENDED.labels(status.value).inc()
        return True

    async def _stop_running(self) -> None:
        self._timers.stop()
        tasks = list(self._running.values())
        self._running.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
