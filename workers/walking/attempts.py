"""Attempts at the nodes of one execution: what each works with, and who is told of it."""

from collections.abc import Collection, Sequence
from typing import Any

from engine.graph import Plan
from engine.store.claims import Claimed
from engine.store.walks import Advanced
from workers.executor import NO_DESK, Outcome, Work
from workers.walking.desks import Desks
from workers.walking.hand import Hand
from workers.walking.holdings import Holdings
from workers.walking.means import Means
from workers.walking.memory import NodeMemory, RunMemory
from workers.walking.telling import Teller


class Attempts:
    """Gives the nodes of one execution to the executor."""

    def __init__(
        self,
        claimed: Claimed,
        plan: Plan,
        means: Means,
        hand: Hand,
        holdings: Holdings,
        memory: RunMemory,
    ) -> None:
        self._claimed = claimed
        self._memory = memory
        self._plan = plan
        self._executor = means.executor
        self._hand = hand
        self._holdings = holdings
        calls_models = bool(plan.models)
        self._desks = Desks(means.walks, means.asides, claimed, plan) if calls_models else None
        self._teller = Teller(means.events, claimed) if calls_models else None

    async def run(self, index: int) -> Outcome:
        """One attempt at a node that is ready."""
        delivered = self._hand.progress.delivered(index)
        refusal = self._holdings.weigh([wire.source for wire, _ in delivered])
        if refusal is not None:
            return Outcome(failure=refusal)
        claimed, claim = self._claimed, self._hand.claims.get(index)
        held = NodeMemory(self._memory)
        work = Work(
            node=self._plan.nodes[index],
            execution_inputs=claimed.inputs,
            inputs=self._hand.progress.inputs(index, delivered),
            delivered=delivered,
            account_id=claimed.account_id,
            execution_id=claimed.execution_id,
            depth=claimed.depth,
            desk=NO_DESK if self._desks is None else self._desks.of(index, claim),
            teller=None if self._teller is None else self._teller.of(index),
            memory=held,
        )
        try:
            outcome = await self._executor.run(work)
        finally:
            held.free()
        return self._holdings.take(index, outcome)

    def note(self, advanced: Advanced) -> None:
        """A step is on record; the answer says whether somebody watches."""
        if self._teller is not None:
            self._teller.note(advanced)

    def give_up(self) -> None:
        """The execution ends: nobody comes back for what its nodes have begun."""
        if self._desks is not None:
            self._desks.is_given_up = True

    async def find_left(self, indexes: Collection[int]) -> list[Any]:
        """The jobs that these nodes have left on record, which nobody runs any more."""
        if self._desks is None:
            return []
        return await self._desks.find_left(indexes, must_look=self._hand.is_shared)

    async def cancel(self, jobs: Sequence[Any]) -> None:
        """The execution has ended: ask for such jobs to be cancelled, once and for a moment."""
        await self._executor.cancel_jobs(jobs)

    async def stop(self) -> None:
        """Nothing runs any more."""
        if self._teller is not None:
            await self._teller.stop()
