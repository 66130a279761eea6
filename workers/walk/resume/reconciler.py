"""Reconciliation of one walk with other walkers of the same execution."""

import asyncio
from collections.abc import Mapping, Sequence

from engine.executions.statuses import NODE_TERMINAL, NodeStatus
from engine.store.executions.advance import Advanced
from engine.store.executions.claim import ClaimedExecution, parse_claims
from engine.store.executions.walks import Walks
from workers.walk.state import UNTOUCHED, WalkState
from workers.walk.step import LeaseLost, Recorder
from workers.walk.values.outputs import OutputStore

CONTESTED_SECONDS = 0.05
POSTPONED = frozenset({NodeStatus.RETRYING, NodeStatus.WAITING})
"""Statuses of nodes that are due at a time on record."""


class Reconciler:
    """Updates the state of one walk from the record that other walkers have changed."""

    __slots__ = ("_claimed", "_output_store", "_recorder", "_state", "_walks")

    def __init__(
        self,
        claimed: ClaimedExecution,
        state: WalkState,
        walks: Walks,
        recorder: Recorder,
        output_store: OutputStore,
    ) -> None:
        self._claimed = claimed
        self._state = state
        self._walks = walks
        self._recorder = recorder
        self._output_store = output_store

    async def reconcile(self, advanced: Advanced, claim: Sequence[int] = ()) -> None:
        """Take over nodes that other walkers have ended or begun.

        `claim` are the nodes that were to be claimed. Raises LeaseLost.
        """
        state = self._state
        state.is_shared = True
        progress, statuses = state.progress, advanced.parse_statuses()
        settled = {i for i, status in enumerate(statuses) if status in NODE_TERMINAL}
        self._recorder.drop(settled)
        changed = {i for i in settled if progress.status(i) not in NODE_TERMINAL}
        resumable = {*claim, *state.ready_cpu, *state.parked} - set(state.running)
        begun = {i for i in resumable if statuses[i] is NodeStatus.RUNNING} - self._recorder.parked
        for index in begun:
            progress.begin(index)
            state.unpark(index)
        state.ready_cpu = [i for i in state.ready_cpu if i not in begun]
        state.running_elsewhere = (state.running_elsewhere | begun) - settled
        progress.ready.extend(
            i for i in claim if statuses[i] is NodeStatus.PENDING and i not in state.running
        )
        postponed = {i for i in claim if statuses[i] in POSTPONED}
        abandoned = {
            i
            for i in state.running_elsewhere
            if statuses[i] in POSTPONED or statuses[i] is NodeStatus.PENDING
        }
        await self._resume(abandoned | postponed, statuses, advanced.now)
        if changed:
            await self._take_over(statuses, changed)
        if self._is_contested(statuses):
            await asyncio.sleep(CONTESTED_SECONDS)

    async def _resume(self, indexes: set[int], statuses: Sequence[NodeStatus], now: int) -> None:
        """Resume nodes that another walker has lost or postponed: it may not come back."""
        if not indexes:
            return
        state = self._state
        claims = parse_claims(await self._read_record())
        state.running_elsewhere -= indexes
        for index in sorted(indexes):
            state.claims[index] = claims.get(index, UNTOUCHED)
            if statuses[index] is NodeStatus.PENDING:
                state.progress.give_back(index)
            else:
                self._postpone(index, statuses[index], now)

    def _postpone(self, index: int, status: NodeStatus, now: int) -> None:
        """Wait for a node as long as its claim says."""
        state = self._state
        seconds = (state.claims[index].at - now) / 1000
        if status is NodeStatus.RETRYING:
            state.schedule_retry(index, seconds)
        else:
            state.progress.park(index)
            state.wait_parked(index, seconds)

    async def check_parked(self, advanced: Advanced, *, must_read: bool) -> None:
        """Take over parked nodes that other walkers have resumed.

        With `must_read`, the due times of the others are read: one may have been woken. Raises
        LeaseLost.
        """
        state, statuses = self._state, advanced.parse_statuses()
        parked = state.parked - self._recorder.parked
        if any(statuses[index] is not NodeStatus.WAITING for index in parked):
            await self.reconcile(advanced)
        elif must_read and parked:
            claims = parse_claims(await self._read_record())
            for index in parked & claims.keys():
                state.claims[index] = claims[index]
                state.wait_parked(index, (claims[index].at - advanced.now) / 1000)

    async def _read_record(self) -> Mapping[str, bytes]:
        """Return the execution's whole record. Raises LeaseLost when there is none."""
        claimed = self._claimed
        record = await self._walks.records(claimed.account_id, claimed.execution_id)
        if not record:
            raise LeaseLost("missing")
        return record

    def _is_contested(self, statuses: Sequence[NodeStatus]) -> bool:
        """Return whether others have begun nodes that ended here without a claim: theirs count."""
        state, fence = self._state, self._claimed.fence
        return any(
            statuses[i] is NodeStatus.RUNNING and state.claims.get(i, UNTOUCHED).fence != fence
            for i in self._recorder.settled
        )

    async def _take_over(self, statuses: Sequence[NodeStatus], changed: set[int]) -> None:
        state = self._state
        outputs = await self._output_store.read_outputs(await self._read_record(), changed)
        state.ready_cpu = [i for i in state.ready_cpu if i not in changed]
        state.ready_io = [i for i in state.ready_io if i not in changed]
        for index in sorted(changed):
            state.unpark(index)
            if index in state.running:
                state.running.pop(index).cancel()
            state.progress.settle(index, statuses[index], outputs.get(index))
        for index in state.progress.take_skipped():
            if statuses[index] not in NODE_TERMINAL:
                self._recorder.add_skipped(index)
