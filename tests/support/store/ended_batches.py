"""Batches that are over, in Redis or in the history."""

from dataclasses import dataclass
from typing import Any

from engine.executions.batches import BatchStatus
from engine.history.archiving.batch_archive import BatchArchive
from engine.history.database.connections import Database
from engine.ids.partitions import partition_of
from engine.store import NewBatch, NewItem, Store
from engine.store.archive.ended_batches import EndedBatches
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.record_packing import pack

LATER = 2**50
"""Time after all others in milliseconds."""
ERROR = {"code": "INSUFFICIENT_CREDITS", "message": "No credits"}
STATES = "cfx"
ITEMS = [NewItem({"text": f"{index}"}, (f"t{index}",)) for index in range(len(STATES))]


@dataclass(frozen=True, slots=True)
class EndingBatches:
    """Batches of an account whose items have ended, and their way into the history."""

    store: Store
    account_id: str

    async def over(self, *, created: int | None = None, **members: Any) -> str:
        """Accept a batch and let it be over; return its reference."""
        items = members.pop("items", ITEMS)
        account_id = self.account_id
        new = NewBatch(account_id=account_id, slug="echo", version=3, items=items, **members)
        workflow = keyspace.workflow(account_id, "echo")
        await self.store.client.send("HSET", workflow, "state", "live", "d3", b"document")
        await self.store.batches.add(new)
        now = await self.store.leases.now()
        reference = keyspace.reference(account_id, new.batch_id)
        facts: dict[str, Any] = {
            "status": BatchStatus.COMPLETED.value,
            "states": STATES,
            "completed": now,
            "spent": 7,
            "f1": pack(ERROR),
        }
        if created is not None:
            facts["created"] = created
            listed = batch_keys.account_batches(account_id)
            await self.store.client.send("ZADD", listed, created, new.batch_id)
        words = [word for pair in facts.items() for word in pair]
        await self.store.client.send("HSET", batch_keys.batch(account_id, new.batch_id), *words)
        await self.store.client.send("ZREM", batch_keys.open_batches(account_id), new.batch_id)
        unarchived = batch_keys.unarchived_batches(partition_of(account_id))
        await self.store.client.send("ZADD", unarchived, now, reference)
        return reference

    async def move(self, database: Database, *references: str) -> None:
        """Leave batches to the history alone."""
        archive, ended = BatchArchive(self.store, database), EndedBatches(self.store.client)
        while await archive.archive():
            pass
        for each in references:
            assert await ended.forget(each, (await ended.retries([each]))[each])


def id_of(reference: str) -> str:
    """Return the id of a batch."""
    return keyspace.parse_reference(reference)[1]
