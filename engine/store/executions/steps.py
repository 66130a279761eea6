"""Steps of a walk as the store records them, one by one or all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.executions.rows import FailedAttemptRow, NodeRow, StepRows, pack_rows, split_outputs
from engine.store.dispatch.hints import InlineRun
from engine.store.redis.record_packing import pack


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge of a completed node; `trial` is the model whose trial it used, or empty."""

    credits: int
    micro_usd: int
    trial: str = ""


@dataclass(slots=True, kw_only=True)
class Step:
    """Changes of a walker since its last call, recorded atomically."""

    settled: list[tuple[int, NodeStatus]] = field(default_factory=list)
    """Node index and final status."""
    retrying: list[tuple[int, int]] = field(default_factory=list)
    """Node index and milliseconds until the next attempt."""
    claimed: Sequence[int] = ()
    reservations: Mapping[int, int] = field(default_factory=dict)
    """Credits to reserve for each claimed node, by node index."""
    charges: dict[int, Charge] = field(default_factory=dict)
    """Charges of nodes settled in this step, by node index."""
    rows: list[NodeRow] = field(default_factory=list)
    failed_attempts: list[FailedAttemptRow] = field(default_factory=list)
    keeps_outputs_apart: bool = False
    """Whether outputs have a field of their own, which the end may remove."""
    names_objects: bool = False
    """Whether the step names offloaded objects, to be removed with the execution."""
    leave: bool = False
    shares_work: bool = False
    """Whether other workers may take ready nodes: beside this one, or at once when it leaves."""
    end: ExecutionStatus | None = None
    result: bytes = b""
    """Packed result, or the name of an offloaded one."""
    error: dict[str, Any] | None = None
    webhook_key_id: str = ""
    """API key whose webhook is notified of the end; empty for none."""
    slug: str = ""
    """Workflow whose run ends; empty for the run of a model."""


@dataclass(slots=True, kw_only=True)
class UnclaimedWalk:
    """Walk that ended before the execution was claimed."""

    inline_run: InlineRun
    """The walked run."""
    codes: str
    """Codes of the final statuses of all nodes."""
    rows: bytes
    """Packed `StepRows`, with times relative to the beginning of the walk."""
    result: bytes
    """Packed result, small enough for the record."""
    elapsed_ms: int


def _departure(step: Step) -> str:
    if not step.leave:
        return "stay"
    return "hand over" if step.shares_work else "leave"


def move_arguments(step: Step) -> tuple[str | bytes, ...]:
    """Return a step's changes of nodes and lease as arguments of the script."""
    return (
        "".join([f"{index}{status.code}" for index, status in step.settled]),
        ",".join([f"{index}={delay}" for index, delay in step.retrying]) if step.retrying else "",
        ",".join([str(index) for index in step.claimed]),
        _rows(step) if step.rows or step.failed_attempts else b"",
        _departure(step),
        "1" if step.shares_work and not step.leave else "0",
    )


def end_arguments(step: Step, execution_id: str) -> tuple[str | bytes | int, ...]:
    """Return a step's end, charges and reservations as arguments of the script."""
    outputs = split_outputs(step.rows)[1] if step.keeps_outputs_apart else {}
    return (
        "" if step.end is None else step.end.value,
        execution_id,
        step.result,
        b"" if step.error is None else pack(step.error),
        _charges(step) if step.charges else "",
        _reservations(step) if step.reservations else "",
        "1" if step.names_objects else "",
        pack(outputs) if outputs else b"",
    )


def _charges(step: Step) -> str:
    charges = step.charges.items()
    return ",".join([f"{i}={each.credits}:{each.micro_usd}:{each.trial}" for i, each in charges])


def _reservations(step: Step) -> str:
    return ",".join([f"{index}={credits}" for index, credits in step.reservations.items()])


def _rows(step: Step) -> bytes:
    rows = split_outputs(step.rows)[0] if step.keeps_outputs_apart else step.rows
    return pack_rows(StepRows(rows, step.failed_attempts))
