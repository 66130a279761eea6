"""Executions of an account that the history may lack: running ones, and ended ones on its list.

Those that other executions began are not among them: they are in no figures.

One step moves an execution from the running ones to the list, and the archiver removes it from the
list. So an execution that is in neither, read in this order, is archived.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine.executions.execution import Execution
from engine.ids.partitions import partition_of
from engine.store.executions.record_fields import HEAD_FIELDS, RESULT_AT, parse_head
from engine.store.executions.unfinished import unfinished_ids
from engine.store.redis import keyspace
from engine.store.redis.client import Client

SCANNED_AT_ONCE = 1_000
READ_AT_ONCE = 500
MOST_READ = 50_000
"""Most executions that are read. With more, the archive is far behind, and figures lack them."""
FIELDS = ("key", *HEAD_FIELDS[:RESULT_AT], *HEAD_FIELDS[RESULT_AT + 1 :])


@dataclass(frozen=True, slots=True)
class UnarchivedExecution:
    """Execution without nodes and result, and its key, empty for none."""

    execution: Execution
    key_id: str


class UnarchivedExecutions:
    """Reads executions that the history may lack."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read_created(
        self, account_id: str, start: int, end: int
    ) -> list[UnarchivedExecution]:
        """Return the executions that were created in a range of milliseconds, in no order."""
        ids = await unfinished_ids(self._client, account_id)
        ids |= await self._listed(account_id)
        names, executions = list(ids)[:MOST_READ], []
        for first in range(0, len(names), READ_AT_ONCE):
            part = await self._created(account_id, names[first : first + READ_AT_ONCE], start, end)
            heads = await asyncio.gather(*(self._head(account_id, each) for each in part))
            executions += [
                each for each in heads if each and start <= each.execution.created_at < end
            ]
        return executions

    async def _created(
        self, account_id: str, names: Sequence[str], start: int, end: int
    ) -> list[str]:
        """Return those of the names that may be of the range, by the account's list.

        Thousands of executions may wait since long before it, and their records are not read.
        """
        key = keyspace.account_executions(account_id)
        times = await self._client.send("ZMSCORE", key, *names)
        pairs = zip(names, times, strict=True)
        return [name for name, at in pairs if at is None or start <= int(float(at)) < end]

    async def _listed(self, account_id: str) -> set[str]:
        key, cursor = keyspace.unarchived(partition_of(account_id)), b""
        pattern = f"{account_id}/*"
        ids: set[str] = set()
        while cursor != b"0" and len(ids) < MOST_READ:
            cursor, page = await self._client.send(
                *("ZSCAN", key, cursor or b"0", "MATCH", pattern),
                *("COUNT", SCANNED_AT_ONCE),
            )
            ids |= await self._roots(account_id, page[::2])
        return ids

    async def _roots(self, account_id: str, references: Sequence[bytes]) -> set[str]:
        """Return the ids of those that no other execution began: they are in the account's list."""
        names = [each.decode().partition("/")[2] for each in references]
        if not names:
            return set()
        key = keyspace.account_executions(account_id)
        times = await self._client.send("ZMSCORE", key, *names)
        return {name for name, at in zip(names, times, strict=True) if at is not None}

    async def _head(self, account_id: str, execution_id: str) -> UnarchivedExecution | None:
        key = keyspace.execution(account_id, execution_id)
        key_id, *values = await self._client.send("HMGET", key, *FIELDS)
        if values[0] is None:
            return None  # forgotten since, and archived before
        values.insert(RESULT_AT, None)
        execution = parse_head(account_id, execution_id, values)
        return UnarchivedExecution(execution, (key_id or b"").decode())
