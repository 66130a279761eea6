"""Ended executions that are not archived: references, records and removal."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.executions.tags import parse_tags
from engine.ids.partitions import partition_of
from engine.store.archive.outbox import HistoryBacklog, Outbox
from engine.store.children.keys import GROUPS, group_keys, parse_groups
from engine.store.executions.read.child_states import STATES, read_states
from engine.store.executions.record_fields import parse_hash, parse_name
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.webhooks.owners import run_owner

AT_ONCE = 50
"""Records that one pipeline reads, so that other commands come between."""
BATCH_BYTES = 16_777_216
"""Memory of the records of one batch; the first is read whatever its size."""
AT_END = bytes.maketrans(b"qp", b"xx")
"""States of children once their parent has ended."""
EVENT = "event"
"""Field of the event of an inbound webhook that started an execution, or of its object's name."""
MOST_NAME = 256
"""Bytes that no name of an object has."""
NO_EVENTS = (None, b"0")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRecord:
    """Record of an ended execution, as Redis has it."""

    account_id: str
    execution_id: str
    fields: dict[str, bytes]
    events: Sequence[Any] = ()
    """Entries of its stream of events, as XRANGE returns them."""

    @property
    def reference(self) -> str:
        """Name of the execution in sets."""
        return keyspace.reference(self.account_id, self.execution_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedBatch:
    """References of one batch, and the records that still exist."""

    references: Sequence[str]
    records: Sequence[EndedRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFacts:
    """Facts of an archived execution that its row may lack."""

    retry: str
    """Its last retry, which may have begun since; empty: none."""
    tags: tuple[str, ...]
    """An archiver of version 0.1.0 does not write them."""
    event: str = ""
    """Name of the object with the event that started it; empty: there is none."""
    groups: bytes | None = None
    """Groups of its children on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPage:
    """References of ended executions in the order of their end, and the position after them."""

    references: Sequence[str]
    next_at: int
    """Time in milliseconds from which on the next page reads."""
    has_more: bool


class EndedExecutions:
    """Reads and removes ended executions for the archiver."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outbox = Outbox(client, keyspace.unarchived)
        self._first = FirstMembers(client, keyspace.finished)

    async def unarchived(self, count: int) -> list[str]:
        """Return references that the history lacks, of the next partitions."""
        return await self._outbox.oldest(count)

    async def backlog(self) -> HistoryBacklog:
        """Return how many executions the history lacks, as far as known."""
        return await self._outbox.backlog()

    async def read(self, references: Sequence[str]) -> EndedBatch:
        """Return the first references whose sizes fit one batch, with their records."""
        fitting = await self._fitting(references)
        records: list[EndedRecord] = []
        for start in range(0, len(fitting), AT_ONCE):
            records += await self._records(fitting[start : start + AT_ONCE])
        return EndedBatch(references=fitting, records=records)

    async def mark_archived(self, references: Iterable[str]) -> None:
        """Remove references from the unarchived ones."""
        await self._outbox.remove(references)

    async def mark_unarchived(self, references: Iterable[str]) -> None:
        """Let the archiver archive ended executions; those on the list stay where they are."""
        for name in references:
            partition = partition_of(keyspace.parse_reference(name)[0])
            ended = await self._client.send("ZSCORE", keyspace.finished(partition), name)
            if ended is not None:
                key = keyspace.unarchived(partition)
                await self._client.send("ZADD", key, "NX", int(float(ended)), name)

    async def due(self, until: int, period_seconds: float) -> list[int]:
        """Return the partitions with an execution that ended until a time (ms).

        An execution that ended while its partition had none is noticed within the period.
        """
        return await self._first.due(until, period_seconds)

    async def ended(self, partition: int, since: int, until: int, count: int) -> EndedPage:
        """Return executions of a partition that ended from `since` to `until` (ms).

        A page ends with a whole millisecond, so it may have more than `count`.
        """
        key = keyspace.finished(partition)
        members = await self._client.send(
            *("ZRANGE", key, since, until, "BYSCORE", "LIMIT", 0, count, "WITHSCORES")
        )
        if len(members) < count:
            names = [name.decode() for name, _ in members]
            return EndedPage(references=names, next_at=until + 1, has_more=False)
        last = int(float(members[-1][1]))
        names = [name.decode() for name, at in members if int(float(at)) < last]
        of_last = await self._client.send("ZRANGE", key, last, last, "BYSCORE")
        names += [name.decode() for name in of_last]
        return EndedPage(references=names, next_at=last + 1, has_more=True)

    async def last_facts(self, references: Sequence[str]) -> dict[str, LastFacts]:
        """Return the facts of each execution that its row in the history may lack."""
        keys = [keyspace.execution(*keyspace.parse_reference(each)) for each in references]
        replies = await asyncio.gather(
            *(self._client.send("HMGET", key, "retry", "tags", GROUPS, "trigger") for key in keys)
        )
        triggered = [key for key, (*_, trigger) in zip(keys, replies, strict=True) if trigger]
        events = await self._large_events(triggered)
        return {
            name: LastFacts(
                retry=(retry or b"").decode(),
                tags=parse_tags(tags),
                groups=groups,
                event=events.get(key, ""),
            )
            for name, key, (retry, tags, groups, _) in zip(references, keys, replies, strict=True)
        }

    async def _large_events(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the names of the events that are objects, by the key of their execution."""
        sizes = await asyncio.gather(*(self._client.send("HSTRLEN", key, EVENT) for key in keys))
        some = [key for key, size in zip(keys, sizes, strict=True) if 0 < int(size) < MOST_NAME]
        values = await asyncio.gather(*(self._client.send("HGET", key, EVENT) for key in some))
        names = zip(some, map(parse_name, values), strict=True)
        return {key: name for key, name in names if name is not None}

    async def forget(
        self, reference: str, ended_before_ms: int, retry: str, groups: bytes | None = None
    ) -> bool:
        """Remove an archived execution and return whether it was removed.

        An execution with a pending delivery, or one that was retried meanwhile, stays. `groups`
        are those of its children, which go with it.
        """
        account_id, execution_id = keyspace.parse_reference(reference)
        partition = partition_of(account_id)
        verdict = await self._client.call(
            SCRIPTS["remove_ended_execution"],
            execution=keyspace.execution(account_id, execution_id),
            executions=keyspace.account_executions(account_id),
            finished=keyspace.finished(partition),
            events=keyspace.events(account_id, execution_id),
            progress=keyspace.progress(account_id, execution_id),
            unarchived=keyspace.unarchived(partition),
            delivery=keyspace.delivery(account_id, execution_id),
            run_webhook=keyspace.webhook(account_id, run_owner(execution_id)),
            newest_forgotten=keyspace.newest_forgotten(partition),
            groups=group_keys(account_id, execution_id, groups),
            execution_id=execution_id,
            reference=reference,
            ended_before_ms=ended_before_ms,
            is_archived="1",
            last_retry=retry,
        )
        return bool(int(verdict))

    async def _fitting(self, references: Sequence[str]) -> Sequence[str]:
        keys = [keyspace.execution(*keyspace.parse_reference(each)) for each in references]
        sizes = await asyncio.gather(*(self._client.send("MEMORY", "USAGE", key) for key in keys))
        room = BATCH_BYTES
        for count, size in enumerate(sizes):
            room -= int(size or 0)
            if room < 0 and count:
                return references[:count]
        return references

    async def _records(self, references: Sequence[str]) -> list[EndedRecord]:
        ids = [keyspace.parse_reference(each) for each in references]
        replies = await asyncio.gather(
            *(self._client.send("HGETALL", keyspace.execution(*each)) for each in ids)
        )
        records = [
            EndedRecord(account_id=account_id, execution_id=execution_id, fields=fields)
            for (account_id, execution_id), reply in zip(ids, replies, strict=True)
            if "completed" in (fields := parse_hash(reply))
        ]
        await asyncio.gather(
            *(self._add_children(each) for each in records if GROUPS in each.fields)
        )
        return list(await asyncio.gather(*map(self._with_events, records)))

    async def _add_children(self, record: EndedRecord) -> None:
        """Add the states of the children of its nodes: those that have not ended are cancelled."""
        groups = parse_groups(record.fields.get(GROUPS))
        found = await read_states(self._client, record.account_id, record.execution_id, groups)
        for index, states in found.items():
            record.fields[f"{STATES}{index}"] = states.translate(AT_END)

    async def _with_events(self, record: EndedRecord) -> EndedRecord:
        if record.fields.get("events") in NO_EVENTS:
            return record
        key = keyspace.events(record.account_id, record.execution_id)
        return EndedRecord(
            account_id=record.account_id,
            execution_id=record.execution_id,
            fields=record.fields,
            events=await self._client.send("XRANGE", key, "-", "+"),
        )
