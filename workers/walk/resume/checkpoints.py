"""Checkpoints of running nodes: jobs at providers, and answers for items of lists."""

import asyncio
from collections.abc import Collection
from typing import Any

from engine.errors.nodes import NodeFailed, SiblingFailed
from engine.graph.plan import Plan
from engine.models.calls.provider_jobs import is_cancellable
from engine.store.executions.checkpoints import Checkpoints
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.record_fields import NodeClaim
from engine.store.redis.record_packing import pack, unpack
from workers.providers.base import ModelAnswer
from workers.runtime.store_retries import retry_until_answered
from workers.walk.resume.item_answers import AnswerBatches, ItemAnswers

MAX_CANCELLED = 100
"""Most abandoned jobs that are cancelled; a node runs 16 at a time."""


class ExecutionCheckpoints:
    """Records jobs and answers of the calls that one execution's nodes make."""

    def __init__(
        self, stored: Checkpoints, offloaded: OffloadedValues, claimed: ClaimedExecution, plan: Plan
    ) -> None:
        self._stored = stored
        self._batches = AnswerBatches(stored, offloaded, claimed.lease)
        self._plan = plan
        self._claimed = claimed
        self._has_begun = "must_cancel" in claimed.record
        self._open: set[NodeCheckpoints] = set()
        self.is_given_up = False
        """True when the execution ends, so that its nodes' jobs are not resumed."""

    @property
    def account_id(self) -> str:
        """Account that owns the execution."""
        return self._claimed.account_id

    @property
    def owner_id(self) -> str:
        """Account that owns the workflow."""
        return self._claimed.owner_id

    def for_attempt(self, index: int, claim: NodeClaim | None) -> "NodeCheckpoints":
        """Return the checkpoints of the attempt that this claim is for."""
        is_retry = "retry_of" in self._claimed.record
        is_first = self._claimed.fence == 1 and not is_retry
        is_first = is_first and (claim is None or claim.attempts <= 1)
        attempt = 1 if claim is None else claim.attempts - claim.lost
        answers = ItemAnswers(self._batches, index, may_have=not is_first)
        opened = NodeCheckpoints(self, index, attempt, answers, may_have=not is_first)
        self._open.add(opened)
        return opened

    def close(self, checkpoints: "NodeCheckpoints") -> None:
        """Note that the attempt with these checkpoints has ended."""
        self._open.discard(checkpoints)

    async def flush(self) -> None:
        """Wait until the answers of all running nodes are on record."""
        await asyncio.gather(*(each.flush() for each in self._open))

    def is_final(self, index: int, attempt: int, failure: NodeFailed) -> bool:
        """Return whether a node has no further attempt after this failure."""
        policy = self._plan.nodes[index].policy
        return not failure.retryable or attempt >= policy.attempts

    def key(self, index: int, item: int) -> str:
        """Return the name of one call, equal for all workers, attempts and retries."""
        return f"{self._claimed.call_prefix}-{index}-{item}"

    async def read_job(self, index: int, item: int) -> Any:
        """Return the recorded job, None for none."""
        claimed, stored = self._claimed, self._stored
        data = await retry_until_answered(
            lambda: stored.job(claimed.account_id, claimed.execution_id, index, item), "read a job"
        )
        return unpack(data) if data else None

    async def save_job(self, index: int, item: int, job: Any) -> None:
        """Record a job, None to remove it. Raises NodeFailed."""
        lease, packed = self._claimed.lease, b"" if job is None else pack(job)
        must_cancel = is_cancellable(job)
        self._has_begun |= must_cancel
        is_held = await retry_until_answered(
            lambda: self._stored.save_job(lease, index, item, packed, must_cancel=must_cancel),
            "save a job",
        )
        if not is_held:
            raise NodeFailed("worker_lost", "The node went to another worker", retryable=True)

    async def find_unfinished_jobs(self, indexes: Collection[int], *, must_read: bool) -> list[Any]:
        """Return recorded jobs of these nodes that have no answer and can be cancelled.

        `must_read`: another worker may have recorded jobs since this one claimed the execution.
        """
        if not indexes or not (self._has_begun or must_read):
            return []
        claimed, stored = self._claimed, self._stored
        rows = await retry_until_answered(
            lambda: stored.jobs(claimed.account_id, claimed.execution_id), "read jobs"
        )
        answers = {i: ItemAnswers(self._batches, i, may_have=True) for i in indexes}
        unfinished = []
        for (index, item), data in rows.items():
            job = unpack(data)
            if index in answers and is_cancellable(job) and await answers[index].find(item) is None:
                unfinished.append(job)
        return unfinished[:MAX_CANCELLED]


class NodeCheckpoints:
    """Checkpoints of one attempt at a node: one job and answer for each item of a list."""

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
        """Account that owns the execution."""
        return self._execution_checkpoints.account_id

    @property
    def owner_id(self) -> str:
        """Account that owns the workflow."""
        return self._execution_checkpoints.owner_id

    @property
    def is_given_up(self) -> bool:
        """True when jobs that begin here are not resumed."""
        return self._has_failed or self._execution_checkpoints.is_given_up

    def note_failure(self, failure: NodeFailed) -> None:
        """Note that a call has failed. A final failure of the node abandons its other calls."""
        if self.is_final(failure):
            self._has_failed = True
        else:
            self._sibling_failed.set()

    async def pause(self, seconds: float) -> None:
        """Wait. Raises SiblingFailed when another item fails meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._sibling_failed.wait()
        except TimeoutError:
            return
        raise SiblingFailed

    def is_final(self, failure: NodeFailed) -> bool:
        """Return whether the node has no further attempt after this failure."""
        return self._execution_checkpoints.is_final(self._index, self._attempt, failure)

    def key(self, item: int) -> str:
        """Return the name of an item's call, equal for all workers and attempts."""
        return self._execution_checkpoints.key(self._index, item)

    async def find_job(self, item: int) -> Any:
        """Return the job that an earlier attempt recorded for an item, None for none."""
        return (
            await self._execution_checkpoints.read_job(self._index, item)
            if self._may_have
            else None
        )

    async def save_job(self, item: int, job: Any) -> None:
        """Record the job of an item's call, None to remove it. Raises NodeFailed."""
        await self._execution_checkpoints.save_job(self._index, item, job)

    async def find_answer(self, item: int) -> ModelAnswer | None:
        """Return the answer that an earlier attempt recorded, None: call the model."""
        return await self._answers.find(item)

    def save_answer(self, item: int, answer: ModelAnswer) -> None:
        """Record an item's answer in the background, so that later attempts reuse it."""
        self._answers.add(item, answer)

    def drop_answer(self, item: int) -> None:
        """Record in the background that an item has no valid answer."""
        self._answers.drop(item)

    async def flush(self) -> None:
        """Wait until the answers of a failed attempt are on record."""
        await self._answers.flush()

    def close(self) -> None:
        """Stop recording; the attempt has ended."""
        self._answers.close()
        self._execution_checkpoints.close(self)
