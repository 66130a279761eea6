"""Occurrences of triggers of tests, and as they stand in Redis without a run."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from engine.ids.partitions import partition_of
from engine.store import Store
from engine.store.triggers import keys
from engine.triggers.occurrences import Occurrence, OccurrenceStatus, format_occurrence

TRIGGER = "trg_00000000000a"


def occurrence(at: int = 0, **members: Any) -> Occurrence:
    """Return an occurrence that started a run, with some members changed."""
    known = {"id": str(uuid4()), "trigger_id": TRIGGER, "status": OccurrenceStatus.STARTED}
    return Occurrence(at=at, **(known | members))


async def put_occurrences(store: Store, account_id: str, found: Sequence[Occurrence]) -> list[str]:
    """Write occurrences as scripts do, so that they wait for the history; return references."""
    references = []
    for at, each in enumerate(found):
        trigger, name = each.trigger_id, each.id
        by_time = keys.occurrences_by_time(account_id, trigger, each.status.code)
        reference = keys.occurrence_reference(account_id, trigger, name)
        outbox = keys.unarchived_occurrences(partition_of(account_id))
        record = format_occurrence(each)
        await store.client.send("HSET", keys.occurrences(account_id, trigger), name, record)
        await store.client.send("ZADD", by_time, each.at, name)
        await store.client.send("ZADD", outbox, at, reference)
        references.append(reference)
    return references
