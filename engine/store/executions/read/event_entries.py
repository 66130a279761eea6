"""Entries of executions' events, parsed of the fields of their streams."""

import re
from collections.abc import Mapping, Sequence

from engine.executions.events import (
    ChildEntry,
    ChildRef,
    EndEntry,
    Entry,
    EventName,
    ExecutionEvent,
    ProgressEntry,
    StartEntry,
    StepEntry,
    WaitEntry,
    settle,
)
from engine.executions.execution import NodeExecution
from engine.executions.node_waits import NodeWait
from engine.executions.statuses import (
    NODE_TERMINAL,
    ExecutionStatus,
    NodeStatus,
    parse_node_status,
    parse_node_statuses,
    parse_status,
)

SETTLED = re.compile(r"(\d+)(\w)(\w)")
RETRYING = re.compile(r"(\d+)=(\d+):(\d+)")
CLAIMED = re.compile(r"(\d+)=(\d+)")
PROGRESS_FIELDS = {"node", "attempt", "item", "offset", "content"}
CHILD_FIELDS = {"child", "id", "parent", "node", "index", "status"}

Fields = Mapping[str, str]


def parse_entry(
    number: int,
    fields: Fields,
    nodes: Mapping[int, NodeExecution],
    waits: Mapping[int, Sequence[NodeWait]],
) -> Entry:
    """Return the entry with a number; `nodes` and `waits` are those that entries refer to."""
    if "begun" in fields:
        return _parse_start(number, fields, nodes, waits.get(number, ()))
    if "ended" in fields:
        return _parse_end(number, fields, nodes)
    if fields.keys() >= CHILD_FIELDS:
        return ChildEntry(number=number, event=_parse_child(fields))
    if fields.keys() >= PROGRESS_FIELDS:
        return ProgressEntry(number=number, event=_parse_progress(fields))
    if number in waits:
        return WaitEntry(number=number, wait=waits[number][0])
    # An entry of a kind that a later release adds has none of these, and yields no events.
    settled = SETTLED.findall(fields.get("settled", ""))
    return StepEntry(
        number=number,
        settled=[
            settle(int(i), parse_node_status(code), nodes.get(int(i))) for i, code, _ in settled
        ],
        unclaimed=frozenset(
            int(i) for i, _, before in settled if parse_node_status(before) is NodeStatus.PENDING
        ),
        retrying=[
            (int(i), int(attempt), int(pause))
            for i, attempt, pause in RETRYING.findall(fields.get("retrying", ""))
        ],
        claimed=_parse_attempts(fields.get("claimed", "")),
    )


def _parse_start(
    number: int,
    fields: Fields,
    nodes: Mapping[int, NodeExecution],
    waits: Sequence[NodeWait],
) -> StartEntry:
    statuses = parse_node_statuses(fields["begun"])
    return StartEntry(
        number=number,
        statuses=statuses,
        attempts=dict(_parse_attempts(fields.get("claims", ""))),
        waits={each.node_index: each for each in waits},
        nodes={
            index: settle(index, node_status, nodes.get(index))
            for index, node_status in enumerate(statuses)
            if node_status in NODE_TERMINAL
        },
    )


def _parse_end(number: int, fields: Fields, nodes: Mapping[int, NodeExecution]) -> EndEntry:
    status = parse_status(fields["ended"])
    is_cancelled = status is ExecutionStatus.CANCELLED
    untouched = NodeStatus.CANCELLED if is_cancelled else NodeStatus.SKIPPED
    return EndEntry(
        number=number,
        status=status,
        left=[
            settle(
                index,
                untouched if node_status is NodeStatus.PENDING else NodeStatus.CANCELLED,
                nodes.get(index),
            )
            for index, node_status in enumerate(parse_node_statuses(fields.get("left", "")))
            if node_status not in NODE_TERMINAL
        ],
    )


def _parse_child(fields: Fields) -> ExecutionEvent:
    has_begun = fields["child"] == "started"
    return ExecutionEvent(
        name=EventName.CHILD_STARTED if has_begun else EventName.CHILD_FINISHED,
        status=parse_status(fields["status"]),
        child=ChildRef(fields["id"], fields["parent"], fields["node"], int(fields["index"])),
    )


def _parse_progress(fields: Fields) -> ExecutionEvent:
    index, attempt, item = (int(fields[name]) for name in ("node", "attempt", "item"))
    if fields["offset"]:
        return ExecutionEvent(
            name=EventName.NODE_TEXT,
            index=index,
            attempt=attempt,
            item=item,
            offset=int(fields["offset"]),
            text=fields["content"],
        )
    return ExecutionEvent(
        name=EventName.NODE_PROGRESS,
        index=index,
        attempt=attempt,
        item=item,
        progress=float(fields["content"]),
    )


def _parse_attempts(text: str) -> Sequence[tuple[int, int]]:
    return [(int(index), int(attempt)) for index, attempt in CLAIMED.findall(text)]
