"""Executions from the side of callers, once they are accepted: read, list and cancel."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from typing import Any

from engine.errors import ExecutionNotCancellable
from engine.executions.filter import EVERY_EXECUTION, ExecutionFilter, Position
from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store.archive.archive import Archive
from engine.store.children.keys import GroupKeys, children_due, open_children, parse_woken
from engine.store.dispatch.hints import HintSender
from engine.store.dispatch.queue_selector import BULK_FROM
from engine.store.executions.claim import parse_group_ref
from engine.store.executions.ended import Ends
from engine.store.executions.inputs import LargeInputs
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.read.executions import ExecutionReads
from engine.store.executions.read.results import Results
from engine.store.executions.read.scan import find_matching
from engine.store.executions.unfinished import has_unfinished, scan_unfinished
from engine.store.redis import channels, keyspace
from engine.store.redis.batch_keys import NO_BATCH, BatchKeys
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.waits.keys import WaitKeys
from engine.store.waits.records import FIRST_CALL, WAITS
from engine.store.webhooks.delivery_keys import (
    NO_DELIVERY_KEYS,
    DeliveryKeys,
    WebhookOwner,
    delivery_keys,
)
from engine.telemetry import metrics

UNFINISHED_AT_ONCE = 200
CANCELLED_FIELDS = (
    *("webhook_url", "key", "webhook_events", "webhook_owner", "slug", "batch", "values"),
    *("has_objects", "parent", "parent_node", "root", "groups", WAITS, FIRST_CALL),
)
"""Fields of a record that a cancel reads first."""


class Executions(ExecutionReads):
    """Reads, lists and cancels executions; every call names its account."""

    def __init__(
        self,
        client: Client,
        hints: HintSender,
        ends: Ends,
        offloaded: OffloadedValues,
        archive: Archive,
    ) -> None:
        super().__init__(client, archive, Results(offloaded))
        self._large_inputs = LargeInputs(offloaded)
        self._hints = hints
        self._ends = ends

    async def count_active(self, account_id: str) -> int:
        """Return the number of the account's executions that run or are about to.

        Those that have ended and those that only wait do not count.
        """
        return int(await self._client.send("SCARD", keyspace.active(account_id)))

    async def has_unfinished(self, account_id: str) -> bool:
        """Return whether some of the account's executions have not ended."""
        return await has_unfinished(self._client, account_id)

    async def find_bulk_accounts(self, account_ids: Iterable[str]) -> set[str]:
        """Return the accounts whose hints belong into the bulk queue."""
        counts = {each: self._client.send("SCARD", keyspace.active(each)) for each in account_ids}
        return {each for each, count in counts.items() if int(await count) > BULK_FROM}

    async def cancel(self, account_id: str, execution_id: str) -> ExecutionStatus:
        """Request the cancellation. Raises ExecutionNotFound or ExecutionNotCancellable."""
        key = keyspace.execution(account_id, execution_id)
        values = await self._client.send("HMGET", key, *CANCELLED_FIELDS)
        record = {
            name: value
            for name, value in zip(CANCELLED_FIELDS, values, strict=True)
            if value is not None
        }
        told = NO_DELIVERY_KEYS
        if "webhook_url" in record:
            told = _told(account_id, execution_id, record)
        reply = await self._cancel(account_id, execution_id, record, told)
        if reply[0] == b"armed":  # a caller's wait has run out meanwhile
            told = _told(account_id, execution_id, record)
            reply = await self._cancel(account_id, execution_id, record, told)
        if reply[0] == b"waited":  # its first wait was opened meanwhile
            record |= {WAITS: b"", FIRST_CALL: reply[1]}
            reply = await self._cancel(account_id, execution_id, record, told)
        if reply[0] == b"missing":
            raise ExecutionNotCancellable(await self.status(account_id, execution_id))
        if reply[0] == b"ended":
            raise ExecutionNotCancellable(reply[1].decode())
        if reply[0] == b"cancelled":
            metrics.EXECUTIONS_ENDED.labels(ExecutionStatus.CANCELLED.value).inc()
            if len(reply) > 2:
                self._ends.tell(account_id, execution_id, reply[2])
            await self._follow_end(account_id, execution_id, record, told, reply[1])
        return ExecutionStatus(reply[0].decode())

    async def _follow_end(
        self,
        account_id: str,
        execution_id: str,
        record: Mapping[str, bytes],
        told: DeliveryKeys,
        woken: bytes,
    ) -> None:
        """Send the hints that follow from a cancel, and remove values that it has dropped."""
        group = parse_group_ref(account_id, record)
        if group is not None and woken:
            self._hints.send_soon(*parse_woken(group, woken))
        if told.delivery:
            self._hints.send_delivery_soon(keyspace.reference(account_id, execution_id))
        if "values" in record and "has_objects" in record:
            await self._large_inputs.remove_dropped(account_id, execution_id)

    def _cancel(
        self,
        account_id: str,
        execution_id: str,
        record: Mapping[str, bytes],
        told: DeliveryKeys,
    ) -> Awaitable[Sequence[Any]]:
        """Return the answer of the script, which may add a delivery with its keys."""
        partition = partition_of(account_id)
        batch_id = record.get("batch", b"").decode()
        counted = BatchKeys.of(account_id, batch_id) if batch_id else NO_BATCH
        return self._client.call(
            SCRIPTS["cancel_execution"],
            execution=keyspace.execution(account_id, execution_id),
            due=keyspace.due(partition),
            finished=keyspace.finished(partition),
            active=keyspace.active(account_id),
            wallet=keyspace.wallet(account_id),
            ledger=keyspace.ledger(account_id),
            events=keyspace.events(account_id, execution_id),
            progress=keyspace.progress(account_id, execution_id),
            workflow=keyspace.workflow(account_id, record.get("slug", b"").decode()),
            unarchived=keyspace.unarchived(partition),
            delivery=told.delivery,
            deliveries_due=told.deliveries_due,
            webhook_deliveries=told.webhook_deliveries,
            account_deliveries=told.account_deliveries,
            run_deliveries=told.run_deliveries,
            run_webhook=told.run_webhook,
            batch=counted.batch,
            account_items=counted.account_items,
            open_batches=counted.open_batches,
            batches_due=counted.batches_due,
            **_rare_names(account_id, execution_id, record),
            reference=keyspace.reference(account_id, execution_id),
            execution_id=execution_id,
            cancels=channels.cancels(),
            tells=self._ends.wanted,
        )

    async def unfinished(
        self, account_id: str, wanted: ExecutionFilter = EVERY_EXECUTION
    ) -> AsyncIterator[Sequence[str]]:
        """Yield the ids of the account's executions that have not ended and match, in pages.

        An id may be repeated.
        """
        async for names in scan_unfinished(self._client, account_id, UNFINISHED_AT_ONCE):
            keys = (keyspace.execution(account_id, name) for name in names)
            times = await asyncio.gather(
                *(self._client.send("HGET", each, "created") for each in keys)
            )
            rows = [Position(int(at), name) for at, name in zip(times, names, strict=True) if at]
            yield [row.id for row in await find_matching(self._client, account_id, wanted, rows)]


def _told(account_id: str, execution_id: str, record: Mapping[str, bytes]) -> DeliveryKeys:
    """Return the keys of the delivery of an end."""
    events, owner = record.get("webhook_events"), record.get("webhook_owner")
    webhook = WebhookOwner.of_record(record["key"], events, owner)
    return delivery_keys(account_id, execution_id, webhook)


def _rare_names(
    account_id: str, execution_id: str, record: Mapping[str, bytes]
) -> dict[str, str | None]:
    """Return the keys of groups and waits, which most executions have not."""
    names = _group_names(account_id, record)
    if WAITS not in record:
        return names
    root_id = record.get("root", execution_id.encode()).decode()
    digest = record.get(FIRST_CALL, b"").decode()
    return names | WaitKeys.of(account_id, root_id, digest).names


def _group_names(account_id: str, record: Mapping[str, bytes]) -> dict[str, str | None]:
    """Return the keys of the group of a child, and those of the groups of a parent."""
    group = parse_group_ref(account_id, record)
    if group is not None:
        return GroupKeys.of(group).names
    is_parent = "groups" in record
    return {
        "open_children": open_children(account_id) if is_parent else None,
        "children_due": children_due(partition_of(account_id)) if is_parent else None,
    }
