"""Steps of a walk as the store records them, one by one or all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.store.executions.record_fields import OUTPUTS
from engine.store.hints import InlineRun
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
    rows: list[list[Any]] = field(default_factory=list)
    """Rows as `parse_rows` in `engine.store.executions.record_fields` returns them, and rows of
    failed attempts as `parse_attempts` in `engine.store.executions.read.attempts` reads them."""
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
class FinishedWalk:
    """Walk that ended before the execution was claimed."""

    inline_run: InlineRun
    """The walked run."""
    codes: str
    """Codes of the final statuses of all nodes."""
    rows: bytes
    """Packed rows as in a step, with times relative to the beginning of the walk."""
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
        pack(_without_outputs(step)) if step.rows else b"",
        _departure(step),
        "1" if step.shares_work and not step.leave else "0",
    )


def end_arguments(step: Step, execution_id: str) -> tuple[str | bytes | int, ...]:
    """Return a step's end, charges and reservations as arguments of the script."""
    return (
        "" if step.end is None else step.end.value,
        execution_id,
        step.result,
        b"" if step.error is None else pack(step.error),
        _charges(step) if step.charges else "",
        _reservations(step) if step.reservations else "",
        "1" if step.names_objects else "",
        _outputs_apart(step) if step.keeps_outputs_apart else b"",
    )


def _charges(step: Step) -> str:
    charges = step.charges.items()
    return ",".join([f"{i}={each.credits}:{each.micro_usd}:{each.trial}" for i, each in charges])


def _reservations(step: Step) -> str:
    return ",".join([f"{index}={credits}" for index, credits in step.reservations.items()])


def _without_outputs(step: Step) -> Sequence[Sequence[Any]]:
    if not step.keeps_outputs_apart:
        return step.rows
    return [
        [*row[:OUTPUTS], None, *row[OUTPUTS + 1 :]] if row[0] >= 0 else row for row in step.rows
    ]


def _outputs_apart(step: Step) -> bytes:
    """Return the outputs that are kept apart, by node."""
    outputs = {
        row[0]: row[OUTPUTS] for row in step.rows if row[0] >= 0 and row[OUTPUTS] is not None
    }
    return pack(outputs) if outputs else b""
