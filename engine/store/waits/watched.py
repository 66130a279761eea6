"""Waits in the entries for watchers of executions."""

from collections.abc import Mapping, Sequence

from engine.executions.node_waits import NodeWait, WaitKind
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

    They lack their values where these are no longer on record. Each execution is read once, one
    after the other: the history refuses an account many reads at once. Raises Unavailable.
    """
    told = [
        (number, _parse(account_id, *place))
        for number, fields in entries.items()
        for place in _places(execution_id, fields)
    ]
    asked: dict[str, set[int]] = {}
    for _, wait in told:
        if wait.kind is WaitKind.APPROVAL:  # a delay has no values
            asked.setdefault(wait.execution_id, set()).add(wait.node_index)
    known: dict[tuple[str, int], NodeWait] = {}
    for waiting_id, indexes in asked.items():
        names = [wait_field(index) for index in indexes]
        _, *values = await records.fields(account_id, waiting_id, "status", *names)
        for index, value in zip(indexes, values, strict=True):
            if value is not None:
                known[waiting_id, index] = _parse(account_id, waiting_id, index, value)
    waits: dict[int, list[NodeWait]] = {}
    for number, wait in told:
        waits.setdefault(number, []).append(known.get((wait.execution_id, wait.node_index), wait))
    return waits


def _places(execution_id: str, fields: Fields) -> Sequence[tuple[str, int, bytes]]:
    """Return execution, index of the node, and facts of the waits of an entry."""
    if fields.keys() >= WAIT_FIELDS:
        return [(fields["waiting"], int(fields["node"]), fields["facts"].encode())]
    if "begun" not in fields or not fields.get(BEGUN_WAITS):
        return ()
    pairs = (each.split("=", 1) for each in fields[BEGUN_WAITS].split(","))
    return [(execution_id, int(index), facts.encode()) for index, facts in pairs]


def _parse(account_id: str, execution_id: str, index: int, wait: bytes) -> NodeWait:
    found = parse_wait(account_id, execution_id, {wait_field(index): wait}, index)
    if found is None:
        raise AssertionError("the record has the wait")
    return found
