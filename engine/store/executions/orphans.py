"""Orphans: unfinished executions without a scheduled hint and without a worker."""

import asyncio
from collections.abc import Iterable, Sequence

from engine.ids.partitions import partition_of
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

MOST_OF_ACCOUNT = 1_000
"""Executions of one account per search; a larger account gets a random sample."""


class Orphans:
    """Reads that find orphans, and the transition that schedules them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def accounts(self, start: int, count: int) -> list[str]:
        """Return account ids in order of creation, `count` from this position."""
        key = keyspace.account_ids()
        names = await self._client.send("ZRANGE", key, start, start + count - 1)
        return [name.decode() for name in names]

    async def not_due(self, account_ids: Sequence[str]) -> set[str]:
        """Return references of unfinished executions without a scheduled hint."""
        send = self._client.send
        id_lists = await asyncio.gather(
            *(send("SRANDMEMBER", keyspace.active(each), MOST_OF_ACCOUNT) for each in account_ids)
        )
        active = [
            (keyspace.due(partition_of(account_id)), account_id, ids)
            for account_id, ids in zip(account_ids, id_lists, strict=True)
            if ids
        ]
        names = [
            [keyspace.reference(account_id, each.decode()) for each in ids]
            for _, account_id, ids in active
        ]
        scores = await asyncio.gather(
            *(
                send("ZMSCORE", due, *references)
                for (due, _, _), references in zip(active, names, strict=True)
            )
        )
        return {
            name
            for references, due_times in zip(names, scores, strict=True)
            for name, score in zip(references, due_times, strict=True)
            if score is None
        }

    async def fences(self, references: Iterable[str]) -> dict[str, str]:
        """Return the number of the last claim of each, "0" for none."""
        names = list(references)
        keys = [keyspace.execution(*keyspace.parse_reference(name)) for name in names]
        fences = await asyncio.gather(*(self._client.send("HGET", key, "fence") for key in keys))
        return {n: (fence or b"0").decode() for n, fence in zip(names, fences, strict=True)}

    async def free(self, reference: str, fence: str) -> bool:
        """Schedule an orphan. False: scheduled, ended or claimed since `fence` was read."""
        account_id, execution_id = keyspace.parse_reference(reference)
        freed = await self._client.call(
            SCRIPTS["reschedule_orphan"],
            execution=keyspace.execution(account_id, execution_id),
            due=keyspace.due(partition_of(account_id)),
            reference=reference,
            fence=fence,
        )
        return bool(freed)
