"""Answers of a model for items of a list, recorded before the node has ended."""

import asyncio
import logging
from typing import Any

from engine.errors import StorageFailed
from engine.executions.rows import ItemAnswerRow, pack_answers, unpack_answers
from engine.models.pricing import Usage
from engine.store.executions.checkpoints import Checkpoints
from engine.store.executions.claim import Lease
from engine.store.executions.offload import OffloadedValues, make_batch_name
from engine.store.redis.record_packing import pack, unpack
from workers.providers.base import ModelAnswer
from workers.runtime.store_retries import retry_until_answered
from workers.walk.values.sizes import RecordCapacity

BATCH_SECONDS = 0.005
"""Answers within this time are recorded together, and not at all when the node ends within it."""
STORE_SECONDS = 5.0
"""Longest time to offload a large batch; a batch that takes longer is lost and asked for again."""

log = logging.getLogger(__name__)


class AnswerBatches:
    """Batches of recorded answers of one execution."""

    def __init__(self, stored: Checkpoints, offloaded: OffloadedValues, lease: Lease) -> None:
        self._stored = stored
        self._offloaded = offloaded
        self._lease = lease
        self._ids = lease.account_id, lease.execution_id

    async def read_batches(self, index: int) -> list[bytes | None]:
        """Return a node's batches in order, None for one that is lost or unreadable."""
        batches = await retry_until_answered(
            lambda: self._stored.read_answers(*self._ids, index), "read item answers"
        )
        return [None if batch is None else await self._open(unpack(batch)) for batch in batches]

    async def _open(self, batch: Any) -> bytes | None:
        if isinstance(batch, bytes):
            return batch
        try:
            return await self._offloaded.read(*self._ids, batch, seconds=STORE_SECONDS)
        except (FileNotFoundError, StorageFailed):
            return None

    async def save_batch(
        self, index: int, number: int, batch: bytes, *, is_offloaded: bool
    ) -> None:
        """Record a node's batch, in an object when `is_offloaded`. Raises StorageFailed."""
        value: bytes | str = batch
        if is_offloaded:
            value = make_batch_name(self._lease.object_prefix, index, number, len(batch))
            await self._offloaded.put(*self._ids, value, batch, seconds=STORE_SECONDS)
        packed = pack(value)
        await retry_until_answered(
            lambda: self._stored.save_item_answers(
                self._lease, index, number, packed, is_offloaded=is_offloaded
            ),
            "save item answers",
        )


class ItemAnswers:
    """Answers of one attempt at a node. The node's step records a single answer."""

    def __init__(self, batches: AnswerBatches, index: int, *, may_have: bool) -> None:
        self._batches = batches
        self._index = index
        self._answers: dict[int, ModelAnswer] = {}
        self._has_unread = may_have
        self._reading = asyncio.Lock()
        self._number = 0
        self._capacity = RecordCapacity()
        self._requested: set[int] = set()
        self._pending: dict[int, ItemAnswerRow] = {}
        self._task: asyncio.Task[None] | None = None

    async def find(self, item: int) -> ModelAnswer | None:
        """Return the recorded answer for an item, None: call the model."""
        self._requested.add(item)
        self._schedule()
        async with self._reading:
            if self._has_unread:
                await self._read()
                self._has_unread = False
        return self._answers.get(item)

    def add(self, item: int, answer: ModelAnswer) -> None:
        """Record an answer in the background."""
        try:
            self._add(_row(item, answer))
        except (TypeError, ValueError, OverflowError):
            return  # it could not be an output of a node either

    def drop(self, item: int) -> None:
        """Record in the background that an item has no answer."""
        self._add(ItemAnswerRow(item))

    async def flush(self) -> None:
        """Wait until all answers are on record."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Record no further answers."""
        if self._task is not None:
            self._task.cancel()

    async def _read(self) -> None:
        batches = await self._batches.read_batches(self._index)
        self._number = len(batches)
        for batch in batches:
            self._capacity.add(0 if batch is None else len(batch))
            for row in unpack_answers(batch) if batch is not None else ():
                self._answers.pop(row.item, None)
                if row.value is not None:
                    self._answers[row.item] = _answer(row, row.value)

    def _add(self, row: ItemAnswerRow) -> None:
        self._pending[row.item] = row
        self._schedule()

    def _schedule(self) -> None:
        if self._task is None and self._pending and len(self._requested) > 1:
            self._task = asyncio.create_task(self._record())

    async def _record(self) -> None:
        try:
            await asyncio.sleep(BATCH_SECONDS)
            while self._pending:
                rows, self._pending = list(self._pending.values()), {}
                await self._save(pack_answers(rows))
        except Exception:  # the node goes on; its next attempt asks again
            log.exception("item answers cannot be recorded")
        finally:
            self._task = None

    async def _save(self, batch: bytes) -> None:
        size, number = len(batch), self._number + 1
        is_offloaded = not self._capacity.fits(size)
        try:
            await self._batches.save_batch(self._index, number, batch, is_offloaded=is_offloaded)
        except StorageFailed:
            log.warning("item answers are not recorded", extra={"node_index": self._index})
            return
        self._number = number
        if not is_offloaded:
            self._capacity.add(size)


def _row(item: int, answer: ModelAnswer) -> ItemAnswerRow:
    usage = answer.usage
    return ItemAnswerRow(
        item=item,
        value=pack(answer.value),
        micro_usd=answer.micro_usd,
        calls=usage.calls,
        images=usage.images,
        seconds=usage.seconds,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        input_seconds=usage.input_seconds,
    )


def _answer(row: ItemAnswerRow, value: bytes) -> ModelAnswer:
    usage = Usage(
        calls=row.calls,
        images=row.images,
        seconds=row.seconds,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        input_seconds=row.input_seconds,
    )
    return ModelAnswer(value=unpack(value), usage=usage, micro_usd=row.micro_usd)
