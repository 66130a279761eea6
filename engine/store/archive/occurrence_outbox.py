"""Occurrences of triggers on their way to the history: references, records and removal."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from engine.ids.partitions import partition_of
from engine.store.archive.outbox import HistoryBacklog, Outbox
from engine.store.partitioned.first_members import FirstMembers
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.triggers import keys
from engine.triggers.occurrences import Occurrence, parse_occurrence

ROTATION_SECONDS = 60.0
PRUNED_AT_ONCE = 1_000
FORGOTTEN_AT_ONCE = 500
"""Most occurrences that one script removes."""

Reference = tuple[str, str, str]
"""Account, trigger and occurrence, of which names in sets are made."""


class OccurrenceOutbox:
    """Reads and removes occurrences for the archiver."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outbox = Outbox(client, keys.unarchived_occurrences)
        self._first_unarchived = FirstMembers(client, keys.unarchived_occurrences)
        self._first_archived = FirstMembers(client, keys.archived_occurrences)

    async def unarchived(self, count: int) -> list[str]:
        """Return references of occurrences that the history lacks."""
        return await self._outbox.oldest(count)

    async def backlog(self) -> HistoryBacklog:
        """Return how many occurrences the history lacks, as far as known."""
        return await self._outbox.backlog()

    async def records(self, references: Sequence[str]) -> list[tuple[str, Occurrence]]:
        """Return the account of each occurrence that is there, and the occurrence.

        Raises ValueError for one of a later format.
        """
        ids = [parse_reference(each) for each in references]
        found = await asyncio.gather(
            *(
                self._client.send("HGET", keys.occurrences(account, trigger), occurrence)
                for account, trigger, occurrence in ids
            )
        )
        return [
            (account, _parse(trigger, occurrence, record))
            for (account, trigger, occurrence), record in zip(ids, found, strict=True)
            if record is not None  # its trigger was deleted
        ]

    async def mark_archived(self, references: Iterable[str], now: int) -> None:
        """Move occurrences from the unarchived ones to the archived ones."""
        await self._outbox.move(references, keys.archived_occurrences, now)

    async def archived(self, until: int, count: int) -> list[str]:
        """Return at most `count` references of occurrences archived until a time (ms)."""
        return await self._first_archived.due_members(until, count, ROTATION_SECONDS)

    async def forget(self, references: Sequence[str]) -> int:
        """Remove archived occurrences; return the number of those that were there."""
        return await self._remove(references, keys.archived_occurrences)

    async def prune(self, written_before_ms: int) -> int:
        """Remove a bounded number of old occurrences, where there is no history to take them."""
        old = await self._first_unarchived.due_members(
            written_before_ms, PRUNED_AT_ONCE, ROTATION_SECONDS
        )
        return await self._remove(old, keys.unarchived_occurrences)

    async def _remove(self, references: Iterable[str], key_of: Callable[[int], str]) -> int:
        groups: dict[tuple[str, str], list[str]] = {}
        for account, trigger, occurrence in map(parse_reference, references):
            groups.setdefault((account, trigger), []).append(occurrence)
        counts = await asyncio.gather(
            *(
                self._remove_some(account, trigger, some, key_of(partition_of(account)))
                for (account, trigger), ids in groups.items()
                for some in _parts(ids)
            )
        )
        return sum(counts)

    async def _remove_some(
        self, account_id: str, trigger_id: str, ids: Sequence[str], listed: str
    ) -> int:
        records, *by_time = keys.occurrence_keys(account_id, trigger_id)
        removed = await self._client.call(
            SCRIPTS["forget_occurrences"],
            triggers=keys.triggers(account_id),
            occurrences=records,
            by_time=by_time,
            listed=listed,
            id=trigger_id,
            prefix=keys.occurrence_reference(account_id, trigger_id, ""),
            ids=ids,
        )
        return int(removed)


def parse_reference(reference: str) -> Reference:
    """Return the account, the trigger and the occurrence of a name in sets."""
    account_id, trigger_id, occurrence_id = reference.split("/")
    return account_id, trigger_id, occurrence_id


def _parse(trigger_id: str, occurrence_id: str, record: bytes) -> Occurrence:
    occurrence = parse_occurrence(trigger_id, occurrence_id, record.decode())
    if occurrence is None:
        raise ValueError("an occurrence of a later format")
    return occurrence


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), FORGOTTEN_AT_ONCE):
        yield ids[start : start + FORGOTTEN_AT_ONCE]
