"""Occurrences of triggers: recorded and held in Redis; listed and read there and in the history."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.executions.filter import Position
from engine.ids.executions import is_execution_id
from engine.ids.partitions import partition_of
from engine.store.accounts.rate_limits import CallWindow
from engine.store.archive.archive import Archive
from engine.store.executions.offload import OffloadedValues
from engine.store.executions.read.scan import read_members
from engine.store.executions.record_fields import make_cursor, parse_cursor, parse_name
from engine.store.partitioned.due_lists import DueLists
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import pack, unpack
from engine.store.redis.scripts import SCRIPTS
from engine.store.triggers import keys
from engine.store.triggers.archived_occurrences import ArchivedOccurrences
from engine.store.triggers.keys import TriggerKeys
from engine.store.triggers.starting import OccurrenceRefused, parse_refusal
from engine.triggers.occurrences import (
    MOST_EVENT_BYTES,
    MOST_SKIPPED_EVENTS,
    Occurrence,
    OccurrenceStatus,
    format_occurrence,
    parse_occurrence,
)
from engine.triggers.trigger import MOST_TRIGGERS, Trigger

MOST_KEPT_EVENTS = 100
"""Newest events of an account that are kept of those that started no run."""
KEPT_EVENT_MS = 86_400_000
"""Time for which such an event is kept."""


class HookEvent(Struct, frozen=True, kw_only=True):
    """Event of an inbound webhook, as expressions and occurrences see it."""

    body: Any
    """A text, or a value of JSON or a form."""
    headers: dict[str, str]
    """By names in lower case; a header that is sent several times is joined by commas."""
    query: dict[str, Any] = {}
    method: str = "POST"

    def values(self) -> dict[str, Any]:
        """Return its members by name, which are the variables of expressions."""
        return {
            "body": self.body,
            "headers": self.headers,
            "query": self.query,
            "method": self.method,
        }

    def pack(self) -> bytes:
        """Return it packed, for an execution or an occurrence."""
        return pack(self.values())


class NewRecord(Struct, frozen=True):
    """Occurrence to record that starts no run."""

    occurrence: Occurrence
    event: bytes = b""
    """Packed event; one that is too large is not kept."""


class OccurrencePage(Struct, frozen=True):
    """Occurrences of a trigger, newest first, and the cursor of the next page."""

    occurrences: Sequence[Occurrence]
    next_cursor: str | None


class Occurrences:
    """Records and reads occurrences; every call names the account."""

    def __init__(self, client: Client, offloaded: OffloadedValues, archive: Archive) -> None:
        self._client = client
        self._offloaded = offloaded
        self._archived = ArchivedOccurrences(client, archive)
        self.due = DueLists(client, keys.open_schedules, keys.schedules_due, MOST_TRIGGERS)

    async def record_due(
        self, trigger: Trigger, records: Sequence[Occurrence], *, at: int, next_at: int | None
    ) -> bool:
        """Record due times of a schedule, as it was read, that start no run, oldest first.

        `at` is its next due time as it was read, and `next_at` the one that follows all of these.
        False: the trigger has changed since, or these due times have their occurrences. Raises
        Unavailable.
        """
        reply = await self._record(
            trigger.account_id,
            trigger.id,
            [NewRecord(each) for each in records],
            revision=trigger.revision,
            at=at,
            next_at=next_at,
        )
        return bool(reply[0] == b"ok")

    async def record_event(
        self, account_id: str, record: NewRecord, terms: TierTerms | None = None
    ) -> OccurrenceRefused | None:
        """Record an event that starts no run; None: it is on record.

        With `terms` it is counted as a call in the account's window of runs, and refused beyond
        it. A trigger that is disabled or gone refuses it too. Raises Unavailable.
        """
        window = None if terms is None else CallWindow.of(account_id, terms)
        trigger_id = record.occurrence.trigger_id
        reply = await self._record(account_id, trigger_id, [record], window=window)
        return parse_refusal(terms, reply)

    async def _record(
        self,
        account_id: str,
        trigger_id: str,
        records: Sequence[NewRecord],
        *,
        revision: int | None = None,
        at: int | None = None,
        next_at: int | None = None,
        window: CallWindow | None = None,
    ) -> Sequence[Any]:
        own, partition = TriggerKeys.of(account_id), partition_of(account_id)
        words: list[str | bytes] = []
        for each in records:
            event = each.event if len(each.event) <= MOST_EVENT_BYTES else b""
            words += (each.occurrence.id, format_occurrence(each.occurrence), event)
        reply: Sequence[Any] = await self._client.call(
            SCRIPTS["record_occurrences"],
            triggers=own.triggers,
            occurrences=keys.occurrences(account_id, trigger_id),
            skipped=self._list_key(account_id, trigger_id, OccurrenceStatus.SKIPPED),
            failed=self._list_key(account_id, trigger_id, OccurrenceStatus.FAILED),
            missed=self._list_key(account_id, trigger_id, OccurrenceStatus.MISSED),
            unarchived_occurrences=keys.unarchived_occurrences(partition),
            open_schedules=own.open_schedules,
            schedules_due=own.schedules_due,
            event_bodies=keys.event_bodies(account_id),
            event_times=keys.event_times(account_id),
            account_id=account_id,
            trigger=trigger_id,
            most_skipped=MOST_SKIPPED_EVENTS,
            most_bodies=MOST_KEPT_EVENTS,
            body_ms=KEPT_EVENT_MS,
            revision=revision,
            at=at,
            next=next_at,
            windows=window and window.windows,
            most_calls=window and window.most_calls,
            bucket=window and window.bucket,
            window_ms=window and window.window_ms,
            new=words,
        )
        return reply

    async def hold(self, trigger: Trigger, at: int, *, look_at: int) -> bool:
        """Hold the next due time of a schedule, as it was read, until another look at `look_at`.

        False: the trigger has changed since, or the due time has its occurrence. Raises
        Unavailable.
        """
        own = TriggerKeys.of(trigger.account_id)
        is_held = await self._client.call(
            SCRIPTS["hold_occurrence"],
            triggers=own.triggers,
            open_schedules=own.open_schedules,
            schedules_due=own.schedules_due,
            account_id=trigger.account_id,
            trigger=trigger.id,
            revision=trigger.revision,
            at=at,
            look_at=look_at,
        )
        return bool(is_held)

    async def list(
        self,
        account_id: str,
        trigger_id: str,
        status: OccurrenceStatus | None,
        limit: int,
        cursor: str | None = None,
    ) -> OccurrencePage:
        """Return at most `limit` occurrences, newest first; None: of all statuses.

        While the history is away, these are the ones that are newer than any it has alone. Raises
        InvalidCursor or Unavailable.
        """
        after = None if cursor is None else parse_cursor(cursor)
        hot = await self.hot(account_id, trigger_id, status, after, limit + 1)
        found = await self._archived.with_hot(account_id, trigger_id, status, after, hot, limit)
        rows = found.occurrences
        cursor = make_cursor(rows[-1].at, rows[-1].id) if found.has_more else None
        return OccurrencePage(rows, cursor)

    async def hot(
        self,
        account_id: str,
        trigger_id: str,
        status: OccurrenceStatus | None,
        after: Position | None,
        count: int,
    ) -> Sequence[Occurrence]:
        """Return at most `count` occurrences of Redis after a row, newest first."""
        statuses = OccurrenceStatus if status is None else (status,)
        lists = [self._list_key(account_id, trigger_id, each) for each in statuses]
        found = await asyncio.gather(
            *(read_members(self._client, key, after, count) for key in lists)
        )
        rows = sorted((row for each in found for row in each), reverse=True)[:count]
        if not rows:
            return []
        key = keys.occurrences(account_id, trigger_id)
        records = await self._client.send("HMGET", key, *(row.id for row in rows))
        parsed = [
            parse_occurrence(trigger_id, row.id, record.decode())
            for row, record in zip(rows, records, strict=True)
            if record is not None
        ]
        return [each for each in parsed if each is not None]

    async def get(self, account_id: str, trigger_id: str, occurrence_id: str) -> Occurrence | None:
        """Return an occurrence, None for an unknown one. Raises Unavailable."""
        if not is_execution_id(occurrence_id):
            return None
        key = keys.occurrences(account_id, trigger_id)
        record = await self._client.send("HGET", key, occurrence_id)
        if record is None:
            return await self._archived.get(account_id, trigger_id, occurrence_id)
        return parse_occurrence(trigger_id, occurrence_id, record.decode())

    async def find_repeated(
        self, account_id: str, trigger_id: str, digest: str
    ) -> OccurrenceRefused | None:
        """Return the refusal of an event that has started a run, by the digest of its id.

        None: it has started none. Raises Unavailable.
        """
        execution_id = await self._client.send("GET", keys.event(account_id, trigger_id, digest))
        if execution_id is None:
            return None
        return OccurrenceRefused(reason="repeated", execution_id=execution_id.decode())

    async def event(self, account_id: str, occurrence: Occurrence) -> HookEvent | None:
        """Return the event of an occurrence, None where it is not kept any more.

        Raises Unavailable or StorageFailed.
        """
        execution_id = occurrence.execution_id
        if execution_id is None:
            member = f"{occurrence.trigger_id}/{occurrence.id}"
            packed = await self._client.send("HGET", keys.event_bodies(account_id), member)
        else:
            key = keyspace.execution(account_id, execution_id)
            packed = await self._client.send("HGET", key, "event")
            if packed is not None and (name := parse_name(packed)) is not None:
                packed = await self._read_object(account_id, execution_id, name)
        return None if packed is None else HookEvent(**unpack(packed))

    async def _read_object(self, account_id: str, execution_id: str, name: str) -> bytes | None:
        try:
            return await self._offloaded.read(account_id, execution_id, name)
        except FileNotFoundError:
            return None

    @staticmethod
    def _list_key(account_id: str, trigger_id: str, status: OccurrenceStatus) -> str:
        return keys.occurrences_by_time(account_id, trigger_id, status.code)
