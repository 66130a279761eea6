"""Attempts at the nodes of an execution, as its record has them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.executions.statuses import NodeStatus
from engine.store.executions.record_fields import NodeClaim, read_step_rows

LOST = re.compile(rb"(\d+):(\d+):(\d+):(\d+),")
LOST_ERROR = {"code": "worker_lost", "message": "The worker died during this attempt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt at a node. Times are milliseconds since the epoch."""

    number: int
    """From 1."""
    started_at: int
    """Begin of the work: the attempt has a worker, and its first call a turn at the provider."""
    ended_at: int | None
    """None: it goes on."""
    queued_ms: int
    """Time from the moment at which the node could run to the begin of the work.

    In it the execution waits for a worker, the node for a slot or memory of the worker, and its
    first call of a model for a turn by the provider's limits.
    """
    worker: str | None
    """Id of the worker; None where a worker walked the whole execution before its claim."""
    error: Mapping[str, Any] | None
    turn_ms: int = field(default=0, compare=False)
    """Part of `queued_ms` in which the worker had the node and waited for a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAttempts:
    """All attempts at one node, in order."""

    attempts: tuple[AttemptRecord, ...] = ()
    waited_ms: int = 0
    """Pauses between attempts, all together: the back-off of retries."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    number: int
    taken_at: int
    ended_at: int | None
    error: Mapping[str, Any] | None
    fence: str
    turn_ms: int = 0
    """Wait for a turn after a worker had taken the node."""
    pause_ms: int = 0
    """Pause before the next attempt."""


def parse_attempts(
    record: Mapping[str, bytes], index: int, status: NodeStatus, ready_at: int | None
) -> NodeAttempts:
    """Return the attempts at a node that could first run at `ready_at`, None: it is not known."""
    return _join(record, index, status, ready_at, _recorded(record).get(index, ()))


def parse_all_attempts(
    record: Mapping[str, bytes], statuses: Sequence[NodeStatus]
) -> Sequence[NodeAttempts]:
    """Return the attempts at all nodes, whose statuses these are, in one pass over the rows."""
    recorded = _recorded(record)
    return [
        _join(record, index, status, None, recorded.get(index, ()))
        for index, status in enumerate(statuses)
    ]


def _join(
    record: Mapping[str, bytes],
    index: int,
    status: NodeStatus,
    ready_at: int | None,
    recorded: Iterable[_Recorded],
) -> NodeAttempts:
    by_number = {each.number: each for each in _lost(record.get(f"l{index}", b""))}
    for each in recorded:
        by_number.setdefault(each.number, each)
    running = _running(record, index, status)
    if running is not None:
        by_number.setdefault(running.number, running)
    ordered = [by_number[number] for number in sorted(by_number)]
    return NodeAttempts(
        attempts=tuple(_timed(ordered, record, ready_at)),
        waited_ms=sum(each.pause_ms for each in ordered),
    )


def _lost(noted: bytes) -> Iterator[_Recorded]:
    for number, fence, began, ended in LOST.findall(noted):
        yield _Recorded(int(number), int(began), int(ended), LOST_ERROR, fence.decode())


def _recorded(record: Mapping[str, bytes]) -> Mapping[int, Sequence[_Recorded]]:
    """Return the failed attempts before retries, and the last ones of settled nodes, by node."""
    found: dict[int, list[_Recorded]] = defaultdict(list)
    for fence, rows in read_step_rows(record):
        for failed in rows.failed_attempts:
            found[failed.index].append(
                _Recorded(
                    failed.number,
                    failed.started_at,
                    failed.started_at + failed.duration_ms,
                    failed.error,
                    fence,
                    failed.turn_ms,
                    failed.pause_ms,
                )
            )
        for row in rows.nodes:
            if row.started_at is not None:
                found[row.index].append(
                    _Recorded(
                        row.attempts, row.started_at, row.ended_at, row.error, fence, row.turn_ms
                    )
                )
    return found


def _running(record: Mapping[str, bytes], index: int, status: NodeStatus) -> _Recorded | None:
    """Return the attempt of a node that runs, or ran when its execution ended."""
    data = record.get(f"n{index}")
    if data is None or status not in (NodeStatus.RUNNING, NodeStatus.CANCELLED):
        return None
    claim = NodeClaim.parse(data)
    if not claim.fence:
        return None
    is_over = status is NodeStatus.CANCELLED
    return _Recorded(
        claim.attempts,
        claim.at,
        int(record["completed"]) if is_over else None,
        None,
        str(claim.fence),
    )


def _timed(
    recorded: Iterable[_Recorded], record: Mapping[str, bytes], ready_at: int | None
) -> Iterator[AttemptRecord]:
    for each in recorded:
        began, worker = each.taken_at + each.turn_ms, record.get(f"w{each.fence}")
        yield AttemptRecord(
            number=each.number,
            started_at=began,
            ended_at=each.ended_at,
            queued_ms=max(0, began - ready_at) if ready_at is not None else each.turn_ms,
            worker=None if worker is None else worker.decode(),
            error=each.error,
            turn_ms=each.turn_ms,
        )
        ready_at = (each.ended_at or began) + each.pause_ms
