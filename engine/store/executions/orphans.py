"""Orphans: unfinished executions without a scheduled hint and without a worker."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from engine.ids.partitions import partition_of
from engine.store.children.running import running_children
from engine.store.executions.unfinished import unfinished_sets
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS

MOST_OF_ACCOUNT = 1_000
"""Executions of one account per search; a larger account gets a random sample."""
AT_ONCE = 500
"""Executions of which the workers are asked together."""


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
        id_lists = await asyncio.gather(*(self._unfinished(each) for each in account_ids))
        active = [
            (keyspace.due(partition_of(account_id)), account_id, ids)
            for account_id, ids in zip(account_ids, id_lists, strict=True)
            if ids
        ]
        names = [
            [keyspace.reference(account_id, each) for each in ids] for _, account_id, ids in active
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

    async def _unfinished(self, account_id: str) -> list[str]:
        """Return ids of executions of an account that go on, children included."""
        samples = (
            self._client.send("SRANDMEMBER", key, MOST_OF_ACCOUNT)
            for key in unfinished_sets(account_id)
        )
        of_groups, *found = await asyncio.gather(
            running_children(self._client, account_id), *samples
        )
        ids = {each.decode() for sample in found for each in sample}
        return [*ids, *of_groups[:MOST_OF_ACCOUNT]]

    async def unheld(
        self, references: Iterable[str], worker_ids: Collection[str]
    ) -> dict[str, str]:
        """Return the references that none of these workers holds.

        With each comes the number of its last claim, "0" for none. A record names the workers that
        have claimed it, and only these are asked.
        """
        names = list(references)
        found: dict[str, str] = {}
        for start in range(0, len(names), AT_ONCE):
            found |= await self._unheld(names[start : start + AT_ONCE], worker_ids)
        return found

    async def _unheld(self, names: Sequence[str], worker_ids: Collection[str]) -> dict[str, str]:
        send = self._client.send
        keys = [keyspace.execution(*keyspace.parse_reference(name)) for name in names]
        fences = await asyncio.gather(*(send("HGET", key, "fence") for key in keys))
        claims = [_claim_fields(int(fence or 0)) for fence in fences]
        claimants = await asyncio.gather(
            *(send("HMGET", key, *fields) for key, fields in zip(keys, claims, strict=True))
        )
        claimed: dict[str, set[str]] = defaultdict(set)
        for name, workers in zip(names, claimants, strict=True):
            for worker in {each.decode() for each in workers if each} & set(worker_ids):
                account_id, _ = keyspace.parse_reference(name)
                claimed[keyspace.held(partition_of(account_id), worker)].add(name)
        asked = [(held, list(some)) for held, some in claimed.items()]
        replies = await asyncio.gather(*(send("HMGET", held, *some) for held, some in asked))
        held_names = {
            name
            for (_, some), reply in zip(asked, replies, strict=True)
            for name, claim in zip(some, reply, strict=True)
            if claim is not None
        }
        return {
            name: (fence or b"0").decode()
            for name, fence in zip(names, fences, strict=True)
            if name not in held_names
        }

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


def _claim_fields(last: int) -> Sequence[str]:
    """Return the fields of a record with the workers of its claims, numbered from 1."""
    return [f"w{fence}" for fence in range(1, last + 1)] or ["w1"]
