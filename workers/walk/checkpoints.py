"""Desks: what calls of nodes have on record while the nodes run, jobs at providers and answers."""

import asyncio
from collections.abc import Collection
from typing import Any

from engine.errors.nodes import NodeFailed, SiblingFailed
from engine.graph.plan import Plan
from engine.store.executions.claims import ClaimedExecution, NodeClaim
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.walks import Walks
from engine.store.redis.records import pack, unpack
from workers.providers.base import ModelAnswer
from workers.providers.model_caller import is_cancellable
from workers.runtime.persistence import persist
from workers.walk.item_answers import AnswerBatches, ItemAnswers

MAX_CANCELLED = 100
"""So many jobs at most that are left behind are asked to be cancelled; 16 of a node run at once."""


class ExecutionCheckpoints:
    """Where the calls of one execution's nodes record their jobs, and what they were answered."""

    def __init__(
        self, walks: Walks, offloaded: OffloadedValues, claimed: ClaimedExecution, plan: Plan
    ) -> None:
        self._walks = walks
        self._batches = AnswerBatches(walks, offloaded, claimed.lease)
        self._plan = plan
        self._claimed = claimed
        self._has_begun = "begun" in claimed.record
        self.is_given_up = False
        """Whether the execution ends: nobody will come back for what its nodes have begun."""

    @property
    def account_id(self) -> str:
        """Whose execution it is."""
        return self._claimed.account_id

    def of(self, index: int, claim: NodeClaim | None) -> "NodeCheckpoints":
        """The desk of the attempt that this claim is for."""
        is_first = self._claimed.fence == 1 and (claim is None or claim.attempts <= 1)
        attempt = 1 if claim is None else claim.attempts - claim.lost
        answers = ItemAnswers(self._batches, index, may_have=not is_first)
        return NodeCheckpoints(self, index, attempt, answers, may_have=not is_first)

    def is_final(self, index: int, attempt: int, failure: NodeFailed) -> bool:
        """Whether a node is not run again after this failure of this attempt."""
        policy = self._plan.nodes[index].policy
        return not failure.retryable or attempt >= policy.attempts

    def key(self, index: int, item: int) -> str:
        """What names one call of one node, whoever runs it and however often."""
        return f"{self._claimed.execution_id}-{index}-{item}"

    async def read(self, index: int, item: int) -> Any:
        """What is on record, None for nothing."""
        claimed, walks = self._claimed, self._walks
        data = await persist(
            lambda: walks.job(claimed.account_id, claimed.execution_id, index, item), "read a job"
        )
        return unpack(data) if data else None

    async def save(self, index: int, item: int, job: Any) -> None:
        """Record a job, None to forget it; returns once that is on record. Raises NodeFailed."""
        lease, packed = self._claimed.lease, b"" if job is None else pack(job)
        must_cancel = is_cancellable(job)
        self._has_begun |= must_cancel
        is_held = await persist(
            lambda: self._walks.save_job(lease, index, item, packed, must_cancel=must_cancel),
            "save a job",
        )
        if not is_held:
            raise NodeFailed("worker_lost", "The node went to another worker", retryable=True)

    async def find_unfinished_jobs(self, indexes: Collection[int], *, must_look: bool) -> list[Any]:
        """The jobs on record that these nodes have begun, have no answer from and can cancel.

        `must_look`: another worker may have recorded some since this one claimed the execution.
        """
        if not indexes or not (self._has_begun or must_look):
            return []
        claimed, walks = self._claimed, self._walks
        rows = await persist(
            lambda: walks.jobs(claimed.account_id, claimed.execution_id), "read jobs"
        )
        answers = {i: ItemAnswers(self._batches, i, may_have=True) for i in indexes}
        unfinished = []
        for (index, item), data in rows.items():
            job = unpack(data)
            if index in answers and is_cancellable(job) and await answers[index].find(item) is None:
                unfinished.append(job)
        return unfinished[:MAX_CANCELLED]


class NodeCheckpoints:
    """The desk of one attempt at a node; one that asks for each item of a list has many jobs."""

    __slots__ = (
        *(
            "_answers",
            "_attempt",
            "_execution_checkpoints",
            "_index",
            "_has_failed",
            "_may_have",
            "_sibling_failed",
        ),
    )

    def __init__(
        self,
        execution_checkpoints: ExecutionCheckpoints,
        index: int,
        attempt: int,
        answers: ItemAnswers,
        *,
        may_have: bool,
    ) -> None:
        self._execution_checkpoints = execution_checkpoints
        self._index = index
        self._attempt = attempt
        self._answers = answers
        self._may_have = may_have
        self._has_failed = False
        self._sibling_failed = asyncio.Event()

    @property
    def account_id(self) -> str:
        """Whose execution it is."""
        return self._execution_checkpoints.account_id

    @property
    def is_given_up(self) -> bool:
        """Whether nobody will come back for what is begun here."""
        return self._has_failed or self._execution_checkpoints.is_given_up

    def note_failure(self, failure: NodeFailed) -> None:
        """A call has failed; if the node has failed for good with it, its others are given up."""
        if self.is_final(failure):
            self._has_failed = True
        else:
            self._sibling_failed.set()

    async def pause(self, seconds: float) -> None:
        """Wait, as long as no other item has failed. Raises NodeLeft."""
        try:
            async with asyncio.timeout(seconds):
                await self._sibling_failed.wait()
        except TimeoutError:
            return
        raise SiblingFailed

    def is_final(self, failure: NodeFailed) -> bool:
        """Whether the node is not run again after this failure."""
        return self._execution_checkpoints.is_final(self._index, self._attempt, failure)

    def key(self, item: int) -> str:
        """What names the call for an item, whoever makes it and however often."""
        return self._execution_checkpoints.key(self._index, item)

    async def find_job(self, item: int) -> Any:
        """What an earlier attempt has recorded for an item, None for nothing."""
        return await self._execution_checkpoints.read(self._index, item) if self._may_have else None

    async def save_job(self, item: int, job: Any) -> None:
        """Record what an item's call must not lose, None to forget it. Raises NodeFailed."""
        await self._execution_checkpoints.save(self._index, item, job)

    async def find_answer(self, item: int) -> ModelAnswer | None:
        """What an earlier attempt was answered for an item, None: it is to be asked."""
        return await self._answers.find(item)

    def save_answer(self, item: int, answer: ModelAnswer) -> None:
        """An item is done, so that no other attempt need ask for it; returns at once."""
        self._answers.add(item, answer)

    def drop_answer(self, item: int) -> None:
        """The answer for an item is no good; returns at once."""
        self._answers.drop(item)

    async def flush(self) -> None:
        """The attempt has failed; returns once what it keeps is on record."""
        await self._answers.flush()

    def close(self) -> None:
        """The attempt has ended."""
        self._answers.close()
