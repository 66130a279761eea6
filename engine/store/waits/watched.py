"""Waits in the entries for watchers of executions."""

import asyncio
from collections.abc import Mapping, Sequence

from engine.executions.node_waits import NodeWait
from engine.store.executions.read.records import ExecutionRecords
from engine.store.waits.records import parse_wait, wait_field

WAIT_FIELDS = {"waiting", "node", "facts"}
"""Fields of the entry of a wait: the execution that waits, its node, and the facts of the wait."""
BEGUN_WAITS = "waits"
"""Field of the first entry: the waits that were open before, `index=facts,…`."""

Fields = Mapping[str, str]


async def read_waits(
    records: ExecutionRecords, account_id: str, execution_id: str, entries: Mapping[int, Fields]
) -> Mapping[int, Sequence[NodeWait]]:
    """Return the waits of entries by their numbers; most entries have none.

    They lack their values where these are no longer on record. Raises Unavailable.
    """
    told = [
        (number, place)
        for number, fields in entries.items()
        for place in _places(execution_id, fields)
    ]
    found = await asyncio.gather(*(_read(records, account_id, *place) for _, place in told))
    waits: dict[int, list[NodeWait]] = {}
    for (number, _), wait in zip(told, found, strict=True):
        waits.setdefault(number, []).append(wait)
    return waits


def _places(execution_id: str, fields: Fields) -> Sequence[tuple[str, int, str]]:
    """Return execution, index of the node, and facts of the waits of an entry."""
    if fields.keys() >= WAIT_FIELDS:
        return [(fields["waiting"], int(fields["node"]), fields["facts"])]
    if "begun" not in fields or not fields.get(BEGUN_WAITS):
        return ()
    pairs = (each.split("=", 1) for each in fields[BEGUN_WAITS].split(","))
    return [(execution_id, int(index), facts) for index, facts in pairs]


async def _read(
    records: ExecutionRecords, account_id: str, execution_id: str, index: int, facts: str
) -> NodeWait:
    field = wait_field(index)
    _, wait = await records.fields(account_id, execution_id, "status", field)
    found = parse_wait(account_id, execution_id, {field: wait or facts.encode()}, index)
    if found is None:
        raise AssertionError("the record has the wait")
    return found
