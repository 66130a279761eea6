"""Reads of deliveries: hot and archived ones in one order, newest first.

A delivery that is sent again after it was archived is in both; Redis has its newer state.
"""

import asyncio
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from engine.errors import NotFound, Unavailable
from engine.executions.filter import Position
from engine.ids.partitions import partition_of
from engine.store.archive.archive import Archive
from engine.store.executions.read.scan import read_members
from engine.store.executions.record_fields import make_cursor, parse_cursor, parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.webhooks.owners import run_owner
from engine.webhooks.deliveries import Attempt, Delivery, DeliveryFilter, DeliveryStatus

ATTEMPT = msgspec.msgpack.Decoder(Attempt)

EXAMINED_AT_ONCE = 1_000
"""Hot deliveries examined for one page of those with a status."""
PENDING = DeliveryStatus.PENDING.value.encode()
NO_DELIVERY = "There is no such delivery"

Fields = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class _Part:
    """Deliveries in order, and the last row up to which they are complete; None: all."""

    rows: dict[Position, Delivery]
    last: Position | None


class DeliveryReads:
    """Reads single deliveries and lists of them."""

    def __init__(self, client: Client, archive: Archive, keep_ms: int) -> None:
        self._client = client
        self._archive = archive
        self._keep_ms = keep_ms

    async def get(self, account_id: str, key_id: str, delivery_id: str) -> Delivery:
        """Return a delivery of this key's webhook with its attempts. Raises NotFound."""
        record = await self._record(account_id, delivery_id)
        if record.get("key") != key_id.encode():
            raise NotFound(NO_DELIVERY)
        return parse_delivery(delivery_id, record)

    async def find(self, account_id: str, delivery_id: str) -> Delivery:
        """Return a delivery of any webhook of the account. Raises NotFound."""
        record = await self._record(account_id, delivery_id)
        if not record:
            raise NotFound(NO_DELIVERY)
        return parse_delivery(delivery_id, record)

    async def list(
        self,
        account_id: str,
        key_id: str,
        *,
        limit: int,
        after: str | None = None,
        status: DeliveryStatus | None = None,
    ) -> tuple[list[Delivery], str | None]:
        """Like `page`, for the deliveries of one key's webhook."""
        wanted = DeliveryFilter(owner=key_id, status=status)
        return await self.page(account_id, wanted, limit=limit, after=after)

    async def page(
        self, account_id: str, wanted: DeliveryFilter, *, limit: int, after: str | None = None
    ) -> tuple[builtins.list[Delivery], str | None]:
        """Return the account's deliveries, newest first, and the cursor of the next page.

        With a status a page may have fewer rows than its limit, although there is a next one.
        Raises InvalidCursor and Unavailable.
        """
        position = None if after is None else parse_cursor(after)
        part = await self._hot(account_id, wanted, position, limit)
        if wanted.execution_id is not None:
            part = await self._with_end(account_id, wanted, position, part)
        forgotten_at = await self._newest_forgotten(account_id)
        if forgotten_at is not None and (part.last is None or part.last.at <= forgotten_at):
            part = await self._with_archived(
                account_id, wanted, position, limit, part, forgotten_at
            )
        rows = sorted(part.rows, reverse=True)
        last = rows[limit - 1] if len(rows) > limit else part.last
        return [part.rows[row] for row in rows[:limit]], None if last is None else make_cursor(
            *last
        )

    async def recall(self, account_id: str, delivery_id: str) -> bool:
        """Put a delivery back that Redis has forgotten; False for an unknown one."""
        fields = await self._forgotten(account_id, delivery_id)
        if fields is None:
            return False
        await self._client.call(
            SCRIPTS["restore_archived_delivery"],
            delivery=keyspace.delivery(account_id, delivery_id),
            webhook_deliveries=keyspace.webhook_deliveries(account_id, fields["key"].decode()),
            account_deliveries=keyspace.account_deliveries(account_id),
            delivery_id=delivery_id,
            created_at=fields["created"],
            keep_ms=self._keep_ms,
            fields=[word for pair in fields.items() for word in pair],
        )
        return True

    async def forgotten_since(
        self, account_id: str, key_id: str, since: int, status: DeliveryStatus | None, limit: int
    ) -> dict[str, int]:
        """Return creation times of deliveries that Redis has forgotten, oldest first, by id."""
        if await self._newest_forgotten(account_id) is None:
            return {}
        rows = await self._archive.deliveries_since(account_id, key_id, status, since, limit)
        keys = [keyspace.delivery(account_id, name) for _, name in rows]
        are_hot = await asyncio.gather(*(self._client.send("EXISTS", key) for key in keys))
        return {name: at for (at, name), is_hot in zip(rows, are_hot, strict=True) if not is_hot}

    async def with_status(
        self, account_id: str, delivery_ids: Sequence[str], status: DeliveryStatus
    ) -> Sequence[str]:
        """Return the ids of the hot deliveries with this status, in their order."""
        keys = [keyspace.delivery(account_id, each) for each in delivery_ids]
        statuses = await asyncio.gather(*(self._client.send("HGET", key, "status") for key in keys))
        wanted = status.value.encode()
        return [each for each, has in zip(delivery_ids, statuses, strict=True) if has == wanted]

    async def _record(self, account_id: str, delivery_id: str) -> Fields:
        key = keyspace.delivery(account_id, delivery_id)
        record = parse_hash(await self._client.send("HGETALL", key))
        return record or await self._forgotten(account_id, delivery_id) or {}

    async def _forgotten(self, account_id: str, delivery_id: str) -> Fields | None:
        if await self._newest_forgotten(account_id) is None:
            return None
        archived = await self._archive.delivery(account_id, delivery_id)
        return None if archived is None else archived.fields

    async def _newest_forgotten(self, account_id: str) -> int | None:
        key = keyspace.newest_forgotten(partition_of(account_id), "deliveries")
        created_at = await self._client.send("HGET", key, account_id)
        return None if created_at is None else int(created_at)

    async def _hot(
        self, account_id: str, wanted: DeliveryFilter, position: Position | None, limit: int
    ) -> _Part:
        key, status = _list_of(account_id, wanted), wanted.status
        size = limit if status is None else EXAMINED_AT_ONCE
        members = await read_members(self._client, key, position, size + 1)
        examined, is_end = members[:size], len(members) <= size
        last = None if is_end else examined[-1]
        shown: Sequence[Position] = examined
        if status is not None:
            matching = set(await self.with_status(account_id, [name for _, name in shown], status))
            shown = [row for row in shown if row.id in matching]
            if len(shown) > limit:
                shown, last = shown[:limit], shown[limit - 1]
        keys = (keyspace.delivery(account_id, name) for _, name in shown)
        replies = await asyncio.gather(*(self._client.send("HGETALL", each) for each in keys))
        records = {row: parse_hash(reply) for row, reply in zip(shown, replies, strict=True)}
        await self._drop(key, [row.id for row, record in records.items() if not record])
        return _Part(
            {row: parse_delivery(row.id, record) for row, record in records.items() if record}, last
        )

    async def _with_end(
        self, account_id: str, wanted: DeliveryFilter, position: Position | None, part: _Part
    ) -> _Part:
        """Add the delivery of an execution's end, which the execution's list may lack."""
        execution_id = wanted.execution_id or ""
        key = keyspace.delivery(account_id, execution_id)
        record = parse_hash(await self._client.send("HGETALL", key))
        if not record:
            return part
        end = parse_delivery(execution_id, record)
        row = Position(end.created_at, end.id)
        is_wanted = wanted.status in (None, end.status) and (position is None or row < position)
        if not is_wanted or (part.last is not None and row < part.last):
            return part
        return _Part(part.rows | {row: end}, part.last)

    async def _with_archived(
        self,
        account_id: str,
        wanted: DeliveryFilter,
        position: Position | None,
        limit: int,
        hot: _Part,
        forgotten_at: int,
    ) -> _Part:
        try:
            archived = await self._archive.deliveries(
                account_id,
                wanted.owner,
                wanted.status,
                position,
                limit,
                execution_id=wanted.execution_id,
            )
        except Unavailable:
            rows = {row: each for row, each in hot.rows.items() if row.at > forgotten_at}
            if not rows:
                raise
            return _Part(rows, min(rows))
        keys = [keyspace.delivery(account_id, each.id) for each in archived]
        are_hot = await asyncio.gather(*(self._client.send("EXISTS", key) for key in keys))
        parsed = [parse_delivery(each.id, each.fields) for each in archived]
        rows = {
            Position(each.created_at, each.id): each
            for each, is_hot in zip(parsed, are_hot, strict=True)
            if not is_hot
        }
        last_read = parsed[-1] if len(parsed) == limit else None
        end = Position(last_read.created_at, last_read.id) if last_read else None
        ends = [row for row in (hot.last, end) if row is not None]
        last = max(ends, default=None)
        merged = {row: each for row, each in (rows | hot.rows).items() if not last or row >= last}
        return _Part(merged, last)

    async def _drop(self, key: str, gone: Sequence[str]) -> None:
        if gone:
            await self._client.send("ZREM", key, *gone)


def _list_of(account_id: str, wanted: DeliveryFilter) -> str:
    """Return the shortest list that has all matching deliveries."""
    if wanted.execution_id is not None:
        return keyspace.webhook_deliveries(account_id, run_owner(wanted.execution_id))
    if wanted.owner is not None:
        return keyspace.webhook_deliveries(account_id, wanted.owner)
    return keyspace.account_deliveries(account_id)


def parse_delivery(delivery_id: str, record: Fields) -> Delivery:
    """Return the delivery of a record."""
    status = DeliveryStatus.parse(record["status"].decode())
    execution_id, batch_id = record.get("execution"), record.get("batch")
    attempts = [
        ATTEMPT.decode(value)
        for name, value in record.items()
        if name[0] == "a" and name[1:].isdigit()
    ]
    return Delivery(
        id=delivery_id,
        owner=record["key"].decode(),
        url=record["url"].decode(),
        execution_id=execution_id.decode() if execution_id else None,
        event=record["event"].decode(),
        status=status,
        created_at=int(record["created"]),
        next_attempt_at=int(record["next"]) if record["status"] == PENDING else None,
        batch_id=batch_id.decode() if batch_id else None,
        attempts=tuple(sorted(attempts, key=lambda attempt: attempt.at)),
    )
