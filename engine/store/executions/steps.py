"""What a walk tells the store: each step as it goes on, or all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.executions.execution import ExecutionStatus, NodeStatus
from engine.store.hints import InlineRun
from engine.store.redis.records import pack


@dataclass(frozen=True, slots=True)
class Charge:
    """What a node costs that has finished; `trial` is the model whose trial it used, or empty."""

    credits: int
    micro_usd: int
    trial: str = ""


@dataclass(slots=True, kw_only=True)
class Step:
    """What a walker did since its last call; recorded whole or not at all."""

    settled: list[tuple[int, NodeStatus]] = field(default_factory=list)
    """Node index and final status."""
    retrying: list[tuple[int, int]] = field(default_factory=list)
    """Node index and milliseconds until the next attempt."""
    claimed: Sequence[int] = ()
    reservations: Mapping[int, int] = field(default_factory=dict)
    """The credits that each claimed node may cost, by node index."""
    charges: dict[int, Charge] = field(default_factory=dict)
    """By node index, of nodes that are settled in this step."""
    rows: list[list[Any]] = field(default_factory=list)
    """As `parse_rows` in `engine.store.executions.records` gives them."""
    names_objects: bool = False
    """Whether something in it is kept aside, to be removed when the execution is forgotten."""
    leave: bool = False
    hands_over: bool = False
    """Leaving, with work at hand that this worker must not begin: a hint is due at once."""
    offered: bool = False
    end: ExecutionStatus | None = None
    result: bytes = b""
    """Packed, or what stands for one that is kept aside."""
    error: dict[str, Any] | None = None
    webhook_key_id: str = ""
    """The key whose webhook is told of the end; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedWalk:
    """A walk that came to its end before the execution was claimed."""

    inline_run: InlineRun
    """What was walked."""
    statuses: Sequence[NodeStatus]
    rows: Sequence[Sequence[Any]]
    """As in a step, but with times that count from when the walk began."""
    result: bytes
    """Packed; not larger than what is kept aside."""
    elapsed_ms: int


def _manner(step: Step) -> str:
    if not step.leave:
        return "stay"
    return "hand over" if step.hands_over else "leave"


def moves_of(step: Step) -> tuple[str | bytes, ...]:
    """What a step does to nodes and to the hold, as the script takes it."""
    return (
        "".join([f"{index}{status.code}" for index, status in step.settled]),
        ",".join([f"{index}={delay}" for index, delay in step.retrying]),
        ",".join([str(index) for index in step.claimed]),
        pack(step.rows) if step.rows else b"",
        _manner(step),
        "1" if step.offered else "0",
    )


def end_of(step: Step, execution_id: str) -> tuple[str | bytes | int, ...]:
    """How a step ends the execution, if it does, and what it costs."""
    error = b"" if step.error is None else pack(step.error)
    charges = [
        f"{index}={each.credits}:{each.micro_usd}:{each.trial}"
        for index, each in step.charges.items()
    ]
    holds = [f"{index}={credits}" for index, credits in step.reservations.items()]
    end = step.end.value if step.end else ""
    aside = "1" if step.names_objects else ""
    return (end, execution_id, step.result, error, ",".join(charges), ",".join(holds), aside)
