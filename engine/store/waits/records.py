"""Waits on the record of an execution.

`q<index>` is the wait of a node: a line with its facts, and its packed values. `a<index>` is its
end likewise. The end of the execution may remove the values. `waits` has the open waits:
`,<index>:<a or d>:<until>,…`. `waited` marks a root that has waited, or whose child has.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, unquote

from engine.executions.node_waits import (
    Answer,
    Answerer,
    AnswererKind,
    Decision,
    NewWait,
    NodeWait,
    OnTimeout,
    WaitKind,
)
from engine.store.redis.record_packing import pack, unpack

WAITS = "waits"
"""Field of an execution that has waited, or whose child has: its open waits."""
FIRST_CALL = "first_call"
"""Field with the digest of the execution's idempotency key."""
WAIT_FIELD = re.compile(r"q(\d+)", re.ASCII)
KIND_CODES = {WaitKind.DELAY: "d", WaitKind.APPROVAL: "a"}
KINDS = {code: kind for kind, code in KIND_CODES.items()}
HEAD_FIELDS = ("status", "root", "slug")
"""Fields of the record that waits need beside their own."""

Record = Mapping[str, bytes]


def wait_field(index: int) -> str:
    """Return the field with the wait of a node."""
    return f"q{index}"


def end_field(index: int) -> str:
    """Return the field with the end of that wait."""
    return f"a{index}"


def wait_facts(node_id: str, new: NewWait) -> str:
    """Return the facts of a wait behind its times."""
    return f"{KIND_CODES[new.kind]}:{new.on_timeout}:{quote(node_id, safe='')}"


def pack_wait(new: NewWait) -> bytes:
    """Return the packed values of a wait."""
    return pack([new.title, new.message, list(new.fields)])


def end_facts(answer: Answer | None) -> str:
    """Return the facts of an end behind its time; None: there is no answer."""
    if answer is None:
        return "::"
    return f"{answer.decision}:{answer.by.kind}:{answer.by.id or ''}"


def pack_answer(answer: Answer | None) -> bytes:
    """Return the packed values of an end; empty without an answer."""
    return b"" if answer is None else pack([dict(answer.fields), answer.note])


def parse_end(end: bytes) -> tuple[int, Answer | None]:
    """Return the time of an end in milliseconds, and its answer."""
    head, _, packed = end.partition(b"\n")
    at, decision, kind, by = head.decode().split(":", 3)
    if not decision:
        return int(at), None
    fields, note = unpack(packed) if packed else ({}, None)
    answer = Answer(
        decision=Decision(decision),
        fields=fields,
        note=note,
        by=Answerer(AnswererKind(kind), by or None),
        at=int(at),
    )
    return int(at), answer


def parse_wait(account_id: str, execution_id: str, record: Record, index: int) -> NodeWait | None:
    """Return the wait of a node on a record with `HEAD_FIELDS`; None: the node has none."""
    wait, end = record.get(wait_field(index)), record.get(end_field(index))
    if wait is None:
        return None
    head, _, packed = wait.partition(b"\n")
    since, until, code, on_timeout, node_id = head.decode().split(":", 4)
    title, message, fields = unpack(packed) if packed else ("", "", ())
    at, answer = (None, None) if end is None else parse_end(end)
    return NodeWait(
        account_id=account_id,
        execution_id=execution_id,
        root_id=record.get("root", execution_id.encode()).decode(),
        workflow_slug=record.get("slug", b"").decode(),
        node_index=index,
        node_id=unquote(node_id),
        kind=KINDS[code],
        since=int(since),
        until=int(until),
        title=title,
        message=message,
        fields=tuple(fields),
        on_timeout=OnTimeout(on_timeout),
        answer=answer,
        over_at=at if answer is None else None,
        is_open=end is None and record.get("status") == b"processing",
        has_values=bool(packed),
    )


def parse_waits(account_id: str, execution_id: str, record: Record) -> Sequence[NodeWait]:
    """Return all waits on a record, by the index of their nodes."""
    if WAITS not in record:
        return ()
    indexes = waiting_indexes(record)
    found = (parse_wait(account_id, execution_id, record, index) for index in indexes)
    return [each for each in found if each is not None]


def kept_waits(record: Record, indexes: Iterable[int]) -> dict[str, bytes]:
    """Return the fields with which a retry does not wait again at these nodes.

    They have the delays that were over and the approvals that a person has answered. A time-out is
    no answer.
    """
    fields: dict[str, bytes] = {}
    for index in indexes:
        wait = parse_wait("", "", record, index)
        end = record.get(end_field(index))
        if wait is None or end is None or not wait.has_values:
            continue
        is_delay, answer = wait.kind is WaitKind.DELAY, wait.answer
        if is_delay or (answer is not None and answer.by.kind is not AnswererKind.TIMEOUT):
            fields |= {wait_field(index): record[wait_field(index)], end_field(index): end}
    return {**fields, WAITS: b","} if fields else {}


def waiting_indexes(fields: Iterable[str]) -> Sequence[int]:
    """Return the sorted indexes of the nodes whose waits are among the fields of a record."""
    matches = (WAIT_FIELD.fullmatch(name) for name in fields)
    return sorted(int(match[1]) for match in matches if match)
