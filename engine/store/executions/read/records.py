"""Records of executions, from Redis or from the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.executions.statuses import ExecutionStatus
from engine.ids.partitions import partition_of
from engine.store.archive.archive import Archive
from engine.store.archive.ended_executions import EndedRecord
from engine.store.executions.record_fields import parse_hash
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS


@dataclass(frozen=True, slots=True)
class ExecutionRecords:
    """Reads records by id: first in Redis, and what it has forgotten in the history.

    The history is asked only about accounts of which Redis has forgotten something.
    """

    client: Client
    archive: Archive

    async def fields(
        self, account_id: str, execution_id: str, *names: str
    ) -> Sequence[bytes | None]:
        """Return fields of the record, None for absent ones; all are absent where it is gone.

        The first must be one that every record has. Raises Unavailable.
        """
        key = keyspace.execution(account_id, execution_id)
        values: Sequence[bytes | None] = await self.client.send("HMGET", key, *names)
        if values[0] is not None:
            return values
        ended = await self.forgotten(account_id, execution_id)
        return values if ended is None else [ended.fields.get(name) for name in names]

    async def all_fields(self, account_id: str, execution_id: str) -> dict[str, bytes]:
        """Return the whole record, empty where it is gone. Raises Unavailable."""
        key = keyspace.execution(account_id, execution_id)
        record = parse_hash(await self.client.send("HGETALL", key))
        if "status" in record:
            return record
        ended = await self.forgotten(account_id, execution_id)
        return {} if ended is None else ended.fields

    async def forgotten(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution that Redis does not have, None for an unknown one."""
        if await read_newest_forgotten(self.client, account_id) is None:
            return None
        return await self.archive.record(account_id, execution_id)

    async def recalled(self, account_id: str, execution_id: str) -> dict[str, bytes]:
        """Return the whole record; a failed execution is put back into Redis, to be retried.

        One that a node of another execution began is not: it is retried with that one.
        """
        key = keyspace.execution(account_id, execution_id)
        record = parse_hash(await self.client.send("HGETALL", key))
        if "status" in record:
            return record
        ended = await self.forgotten(account_id, execution_id)
        if ended is None:
            return {}
        is_failed = ended.fields["status"] == ExecutionStatus.FAILED.value.encode()
        if is_failed and "parent" not in ended.fields:
            await self._recall(ended)
        return ended.fields

    async def _recall(self, ended: EndedRecord) -> None:
        account_id, execution_id = ended.account_id, ended.execution_id
        await self.client.call(
            SCRIPTS["restore_archived_execution"],
            execution=keyspace.execution(account_id, execution_id),
            executions=keyspace.account_executions(account_id),
            finished=keyspace.finished(partition_of(account_id)),
            events=keyspace.events(account_id, execution_id),
            execution_id=execution_id,
            reference=ended.reference,
            created=ended.fields["created"],
            fields=[word for pair in ended.fields.items() for word in pair],
            entries=[word for name, words in ended.events for word in (name, len(words), *words)],
        )


async def read_newest_forgotten(client: Client, account_id: str) -> int | None:
    """Return the creation time of the newest execution that only the history has, if any."""
    key = keyspace.newest_forgotten(partition_of(account_id))
    created: Any = await client.send("HGET", key, account_id)
    return None if created is None else int(created)
