"""Waits in the entries for watchers of executions."""

import asyncio
from collections.abc import Mapping

from engine.executions.node_waits import NodeWait
from engine.store.executions.read.records import ExecutionRecords
from engine.store.waits.records import parse_wait, wait_field

WAIT_FIELDS = {"waiting", "node", "facts"}
"""Fields of an entry: the execution that waits, its node, and the facts of the wait."""


async def read_wait(
    records: ExecutionRecords, account_id: str, entry: Mapping[str, str]
) -> NodeWait:
    """Return the wait of an entry; without its values where they are no longer on record.

    Raises Unavailable.
    """
    execution_id, index = entry["waiting"], int(entry["node"])
    field = wait_field(index)
    _, wait = await records.fields(account_id, execution_id, "status", field)
    found = parse_wait(account_id, execution_id, {field: wait or entry["facts"].encode()}, index)
    if found is None:
        raise AssertionError("the record has the wait")
    return found


async def read_waits(
    records: ExecutionRecords, account_id: str, entries: Mapping[int, Mapping[str, str]]
) -> Mapping[int, NodeWait]:
    """Return the waits of entries by their numbers; other entries have none. Raises Unavailable."""
    told = [number for number, fields in entries.items() if fields.keys() >= WAIT_FIELDS]
    waits = await asyncio.gather(*(read_wait(records, account_id, entries[each]) for each in told))
    return dict(zip(told, waits, strict=True))
