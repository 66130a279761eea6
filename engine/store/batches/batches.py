"""Batches from the side of callers: accept, read, list and cancel."""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from engine.errors import (
    BatchNotFound,
    EngineError,
    QuotaExceeded,
    StorageFailed,
    Unavailable,
    VersionNotFound,
    WorkflowNotFound,
)
from engine.executions.batches import (
    MAX_OPEN_LISTS,
    MAX_QUEUED_ITEMS,
    BatchKind,
    BatchStatus,
)
from engine.ids.executions import is_execution_id
from engine.ids.partitions import partition_of
from engine.store.archive.archive import Archive
from engine.store.batches.batch_records import BatchRecords
from engine.store.batches.chunks import ItemChunks, pack_chunks
from engine.store.batches.records import (
    HEAD_FIELDS,
    Batch,
    BatchAccepted,
    BatchRetried,
    NewBatch,
    NewItem,
    parse_batch,
)
from engine.store.executions.acceptance import IDEMPOTENCY_MS, parse_first_call
from engine.store.executions.new_execution import IdempotentReplay, StaleWorkflow
from engine.store.executions.offload import OffloadedValues, is_large
from engine.store.executions.public_runs import keep_public_version
from engine.store.executions.record_fields import make_cursor, parse_cursor
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.batch_keys import BatchKeys
from engine.store.redis.client import Client
from engine.store.redis.record_packing import unpack
from engine.store.redis.scripts import SCRIPTS
from engine.store.webhooks.owners import batch_owner

REMOVE_SECONDS = 2.0
"""Longest time to remove stored items before a refusal is returned."""

log = logging.getLogger(__name__)

BatchVerdict = BatchAccepted | IdempotentReplay | StaleWorkflow | BatchRetried


class BatchPage(Struct, frozen=True):
    """Batches of an account, newest first, and the cursor of the next page."""

    batches: Sequence[Batch]
    next_cursor: str | None


class Batches:
    """Accepts, reads and lists batches; every call names its account."""

    def __init__(self, client: Client, offloaded: OffloadedValues, archive: Archive) -> None:
        self._client = client
        self._records = BatchRecords(client, archive)
        self.chunks = ItemChunks(self._records, offloaded)

    async def add(self, new: NewBatch) -> BatchAccepted | IdempotentReplay | StaleWorkflow:
        """Accept a batch whose items are checked; they begin soon, in order.

        Only a public workflow of another account can be stale: its live version must be read again.
        Raises IdempotencyKeyReused, QuotaExceeded, WorkflowNotFound, VersionNotFound, StoreFull,
        StorageFailed or Unavailable.
        """
        verdict = await self._add(new)
        if verdict is None or isinstance(verdict, BatchRetried):
            raise ValueError("a batch that retries another one begins by `begin_retry`")
        return verdict

    async def begin_retry(self, new: NewBatch) -> BatchVerdict | None:
        """Accept a batch with the failed items of `new.retry_of`, once.

        None: that batch goes on, or is gone. Raises like `add`.
        """
        await self._records.recall(new.account_id, new.retry_of)
        return await self._add(new)

    async def _add(self, new: NewBatch) -> BatchVerdict | None:
        ids = new.account_id, new.batch_id
        chunks = new.chunks or pack_chunks(new.items)
        if new.owner_id and not await keep_public_version(
            self._client, new.owner_id, new.slug, new.version, is_kept=bool(new.retry_of)
        ):
            return StaleWorkflow()
        has_objects = is_large(sum(len(each.packed) for each in chunks)) or any(
            is_large(len(each)) for each in new.values.values()
        )
        try:
            fields = await self.chunks.store(*ids, chunks)
            fields |= await self.chunks.store_values(*ids, new.values)
            verdict = self._parse_verdict(new, await self._call(new, fields))
        except EngineError as refusal:
            is_uncertain = isinstance(refusal, Unavailable) and not refusal.word
            if has_objects and not is_uncertain:
                await self._remove_objects(*ids)
            raise
        if has_objects and not isinstance(verdict, BatchAccepted):
            await self._remove_objects(*ids)
        return verdict

    def _call(self, new: NewBatch, chunks: Mapping[str, Any]) -> "asyncio.Future[Any]":
        account_id, key, own = new.account_id, new.idempotency_key, new.webhook
        fields = {**new.record_fields(), **chunks}
        is_list = new.kind is not BatchKind.BATCH
        return self._client.call(
            SCRIPTS["add_batch"],
            batch=batch_keys.batch(account_id, new.batch_id),
            batches=batch_keys.listed(new.kind, account_id, new.slug),
            account_items=batch_keys.account_items(account_id),
            open_batches=batch_keys.open_batches(account_id),
            batches_due=batch_keys.batches_due(partition_of(account_id)),
            first_call=key and keyspace.idempotency(account_id, key.digest),
            former=batch_keys.batch(account_id, new.retry_of) if new.retry_of else None,
            workflow=keyspace.workflow(account_id, new.slug) if new.keeps_version else None,
            webhook=own and keyspace.webhook(account_id, batch_owner(new.batch_id)),
            webhook_url=own and own.url,
            webhook_secret=own and own.sealed_secret,
            webhook_signer=own and new.key_id,
            id=new.batch_id,
            account_id=account_id,
            size=len(new.items),
            most_queued=MAX_QUEUED_ITEMS,
            most_lists=MAX_OPEN_LISTS if is_list else None,
            body_fingerprint=key and key.fingerprint,
            first_call_ms=key and IDEMPOTENCY_MS,
            answer=new.answer,
            version=new.version,
            fields=[word for pair in fields.items() for word in pair],
        )

    def _parse_verdict(self, new: NewBatch, reply: Sequence[Any]) -> BatchVerdict | None:
        match reply:
            case [b"ok", created]:
                return BatchAccepted(new.batch_id, len(new.items), int(created))
            case [b"retried", batch_id]:
                return BatchRetried(batch_id.decode())
            case [b"repeated", *first] if new.idempotency_key is not None:
                return parse_first_call(new.idempotency_key, *first)
            case [b"gone"]:
                raise WorkflowNotFound
            case [b"no_document"]:
                raise VersionNotFound
            case [b"full_lists", count]:
                raise QuotaExceeded("openLists", used=int(count), limit=MAX_OPEN_LISTS)
            case [b"full", queued]:
                raise QuotaExceeded("queuedItems", used=int(queued), limit=MAX_QUEUED_ITEMS)
        return None

    async def _remove_objects(self, account_id: str, batch_id: str) -> None:
        with contextlib.suppress(StorageFailed, TimeoutError):  # else the sweeper removes them
            async with asyncio.timeout(REMOVE_SECONDS):
                await self.chunks.remove(account_id, batch_id)

    async def get(self, account_id: str, batch_id: str) -> Batch:
        """Return a batch of the account, and no list of another kind. Raises BatchNotFound."""
        batch = await self.find(account_id, batch_id)
        if batch is None or batch.kind is not BatchKind.BATCH:
            raise BatchNotFound
        return batch

    async def find(self, account_id: str, batch_id: str) -> Batch | None:
        """Return a batch of any kind; None for an unknown one. Raises Unavailable."""
        if not is_execution_id(batch_id):
            return None
        values = await self._records.fields(account_id, batch_id, *HEAD_FIELDS)
        return parse_batch(account_id, batch_id, values)

    async def page(self, account_id: str, limit: int, cursor: str | None = None) -> BatchPage:
        """Return at most `limit` batches, newest first. Raises InvalidCursor or Unavailable."""
        after = None if cursor is None else parse_cursor(cursor)
        rows = await self._records.rows(account_id, after, limit)
        last = rows.batches[-1] if rows.has_more else None
        cursor = None if last is None else make_cursor(last.created_at, last.id)
        return BatchPage(rows.batches, cursor)

    async def cancel(self, account_id: str, batch_id: str) -> BatchStatus:
        """Cancel a batch: queued items never begin. Whoever feeds batches cancels those that run.

        Returns its status then, which stays for a batch that is over. Raises BatchNotFound.
        """
        if not is_execution_id(batch_id):
            raise BatchNotFound
        keys = BatchKeys.of(account_id, batch_id)
        status: bytes = await self._client.call(
            SCRIPTS["cancel_batch"],
            batch=keys.batch,
            account_items=keys.account_items,
            open_batches=keys.open_batches,
            batches_due=keys.batches_due,
            id=batch_id,
            account_id=account_id,
        )
        if not status:
            raise BatchNotFound
        return BatchStatus(status.decode())

    async def item_states(self, account_id: str, batch_id: str) -> str:
        """Return the codes of the statuses of all items. Raises BatchNotFound or Unavailable."""
        [states] = await self._records.fields(account_id, batch_id, "states")
        if states is None:
            raise BatchNotFound
        return states.decode()

    async def item_errors(
        self, account_id: str, batch_id: str, indexes: Collection[int]
    ) -> dict[int, dict[str, Any]]:
        """Return the errors of those of these items that never became an execution, by index."""
        if not indexes:
            return {}
        places = sorted(indexes)
        names = (f"f{index}" for index in places)
        _, *values = await self._records.fields(account_id, batch_id, "status", *names)
        pairs = zip(places, values, strict=True)
        return {index: unpack(value) for index, value in pairs if value is not None}

    async def items(
        self, account_id: str, batch_id: str, indexes: Collection[int]
    ) -> dict[int, NewItem]:
        """Return items with these indexes, as they were accepted.

        Raises FileNotFoundError when an object is gone, StorageFailed or Unavailable.
        """
        return await self.chunks.read(account_id, batch_id, indexes)
