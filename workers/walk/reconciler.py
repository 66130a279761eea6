"""An execution that several walkers hold: what the others have done counts here too."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from engine.executions.execution import NODE_TERMINAL, NodeStatus
from engine.store.executions.claims import ClaimedExecution, parse_claims
from engine.store.executions.walks import Advanced, Walks
from workers.walk.outputs import OutputStore
from workers.walk.recorder import LeaseLost, Recorder
from workers.walk.state import UNTOUCHED, WalkState

CONTESTED_SECONDS = 0.05


class Reconciler:
    """Brings what one walk has in hand in line with what is on record."""

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
        """Take over what other walkers have done or begun; `claim` is what was to be claimed.

        Raises Gone.
        """
        state = self._state
        state.is_shared = True
        progress, statuses = state.progress, advanced.statuses
        settled = {i for i, status in enumerate(statuses) if status in NODE_TERMINAL}
        self._recorder.drop(settled)
        news = {i for i in settled if progress.status(i) not in NODE_TERMINAL}
        begun = {i for i in (*claim, *state.cpu) if statuses[i] is NodeStatus.RUNNING}
        begun -= set(state.running)
        for index in begun:
            progress.begin(index)
        state.cpu = deque(i for i in state.cpu if i not in begun)
        state.elsewhere = (state.elsewhere | begun) - settled
        progress.ready.extend(
            i for i in claim if statuses[i] is NodeStatus.PENDING and i not in state.running
        )
        waiting = (NodeStatus.PENDING, NodeStatus.RETRYING)
        left = {i for i in state.elsewhere if statuses[i] in waiting}
        left |= {i for i in claim if statuses[i] is NodeStatus.RETRYING}
        await self._resume(left, advanced)
        if news:
            await self._take_over(statuses, news)
        if self._is_contested(statuses):
            await asyncio.sleep(CONTESTED_SECONDS)

    async def _resume(self, indexes: set[int], advanced: Advanced) -> None:
        """Go on with what another walker has lost or put off: it may not come back."""
        if not indexes:
            return
        state = self._state
        claims = parse_claims(await self._read_record())
        state.elsewhere -= indexes
        for index in sorted(indexes):
            state.claims[index] = claims.get(index, UNTOUCHED)
            if advanced.statuses[index] is NodeStatus.RETRYING:
                state.wait_for(index, (state.claims[index].at - advanced.now) / 1000)
            else:
                state.progress.give_back(index)

    async def _read_record(self) -> Mapping[str, bytes]:
        """Everything on record of the execution. Raises Gone when there is no record any more."""
        claimed = self._claimed
        record = await self._walks.records(claimed.account_id, claimed.execution_id)
        if not record:
            raise LeaseLost("missing")
        return record

    def _is_contested(self, statuses: Sequence[NodeStatus]) -> bool:
        """Whether others have begun what was done here without a claim: theirs will count."""
        state, fence = self._state, self._claimed.fence
        return any(
            statuses[i] is NodeStatus.RUNNING and state.claims.get(i, UNTOUCHED).fence != fence
            for i in self._recorder.settled
        )

    async def _take_over(self, statuses: Sequence[NodeStatus], news: set[int]) -> None:
        state = self._state
        outputs = await self._output_store.read(await self._read_record(), news)
        state.cpu = deque(i for i in state.cpu if i not in news)
        state.io = [i for i in state.io if i not in news]
        for index in sorted(news):
            if index in state.running:
                state.running.pop(index).cancel()
            state.progress.settle(index, statuses[index], outputs.get(index))
        for index in state.progress.take_skipped():
            if statuses[index] not in NODE_TERMINAL:
                self._recorder.add_skipped(index)
