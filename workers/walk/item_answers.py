"""What a model has answered for items of a list, on record before the node has ended."""

import asyncio
import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from engine.errors import StorageFailed
from engine.models.pricing import Usage
from engine.store.executions.claims import Lease
from engine.store.executions.offload import OffloadedValues, make_batch_name
from engine.store.executions.walks import Walks
from engine.store.redis.records import pack, unpack
from workers.providers.base import ModelAnswer
from workers.runtime.persistence import persist
from workers.walk.sizes import RecordRoom

KEEP_SECONDS = 0.005
"""Answers of so much time are recorded together, and not at all when the node ends within it."""
STORE_SECONDS = 5.0
"""How long a large batch may take that is kept aside; after that it is asked for again."""

log = logging.getLogger(__name__)


class AnswerBatches:
    """Where the kept answers of one execution are."""

    def __init__(self, walks: Walks, offloaded: OffloadedValues, lease: Lease) -> None:
        self._walks = walks
        self._offloaded = offloaded
        self._lease = lease
        self._ids = lease.account_id, lease.execution_id

    async def read(self, index: int) -> list[bytes | None]:
        """A node's batches, in order, None for one that cannot be read or that Redis has lost."""
        batches = await persist(
            lambda: self._walks.kept_answers(*self._ids, index), "read what was answered"
        )
        return [None if batch is None else await self._open(unpack(batch)) for batch in batches]

    async def _open(self, batch: Any) -> bytes | None:
        if isinstance(batch, bytes):
            return batch
        try:
            return await self._offloaded.read(*self._ids, batch, seconds=STORE_SECONDS)
        except (FileNotFoundError, StorageFailed):
            return None

    async def save(self, index: int, number: int, batch: bytes, *, is_offloaded: bool) -> None:
        """Record a node's batch, in an object where it is to be aside. Raises StorageFailed."""
        kept: bytes | str = batch
        if is_offloaded:
            kept = make_batch_name(self._lease.object_prefix, index, number, len(batch))
            await self._offloaded.put(*self._ids, kept, batch, seconds=STORE_SECONDS)
        packed = pack(kept)
        await persist(
            lambda: self._walks.keep_answers(
                self._lease, index, number, packed, is_offloaded=is_offloaded
            ),
            "keep what was answered",
        )


class ItemAnswers:
    """Those of one attempt at a node. A single one is not kept: the node's step records it."""

    def __init__(self, batches: AnswerBatches, index: int, *, may_have: bool) -> None:
        self._batches = batches
        self._index = index
        self._known: dict[int, ModelAnswer] = {}
        self._must_read = may_have
        self._reading = asyncio.Lock()
        self._number = 0
        self._room = RecordRoom()
        self._asked: set[int] = set()
        self._waiting: dict[int, bytes] = {}
        self._recording: asyncio.Task[None] | None = None

    async def find(self, item: int) -> ModelAnswer | None:
        """What is known of an item, None: it is to be asked."""
        self._asked.add(item)
        self._record_soon()
        async with self._reading:
            if self._must_read:
                await self._read()
                self._must_read = False
        return self._known.get(item)

    def add(self, item: int, answer: ModelAnswer) -> None:
        """Have an answer recorded soon."""
        self._add(item, _pack_answer(answer))

    def drop(self, item: int) -> None:
        """Have it recorded that there is no answer, where one may be on record."""
        self._add(item, [])

    async def flush(self) -> None:
        """Return once all is on record."""
        if self._recording is not None:
            await asyncio.wait([self._recording])

    def close(self) -> None:
        """Record nothing more."""
        if self._recording is not None:
            self._recording.cancel()

    async def _read(self) -> None:
        batches = await self._batches.read(self._index)
        self._number = len(batches)
        for batch in batches:
            self._room.take(0 if batch is None else len(batch))
            for row in unpack(batch) if batch is not None else ():
                item, *given = unpack(row)
                self._known.pop(item, None)
                if given:
                    self._known[item] = _unpack_answer(given)

    def _add(self, item: int, answer: Sequence[Any]) -> None:
        try:
            self._waiting[item] = pack([item, *answer])
        except (TypeError, ValueError, OverflowError):
            return  # no node could put it out either
        self._record_soon()

    def _record_soon(self) -> None:
        if self._recording is None and self._waiting and len(self._asked) > 1:
            self._recording = asyncio.create_task(self._record())

    async def _record(self) -> None:
        try:
            await asyncio.sleep(KEEP_SECONDS)
            while self._waiting:
                rows, self._waiting = list(self._waiting.values()), {}
                await self._save(pack(rows))
        except Exception:  # the node goes on without; its next attempt asks again
            log.exception("what was answered cannot be kept")
        finally:
            self._recording = None

    async def _save(self, batch: bytes) -> None:
        size, number = len(batch), self._number + 1
        is_offloaded = not self._room.has(size)
        try:
            await self._batches.save(self._index, number, batch, is_offloaded=is_offloaded)
        except StorageFailed:
            log.warning("what was answered is not kept", extra={"node_index": self._index})
            return
        self._number = number
        if not is_offloaded:
            self._room.take(size)


def _pack_answer(answer: ModelAnswer) -> list[Any]:
    used = answer.usage
    counts = [used.calls, used.images, str(used.seconds), used.input_tokens, used.output_tokens]
    return [answer.value, counts, answer.micro_usd]


def _unpack_answer(given: Sequence[Any]) -> ModelAnswer:
    value, (calls, images, seconds, input_tokens, output_tokens), micro_usd = given
    usage = Usage(
        calls=calls,
        images=images,
        seconds=Decimal(seconds),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
    return ModelAnswer(value=value, usage=usage, micro_usd=micro_usd)
