"""Offloaded inputs, read before a walk that needs them begins."""

from dataclasses import dataclass, replace

from engine.executions.statuses import NODE_TERMINAL, ExecutionStatus
from engine.graph.plan import Plan
from engine.store.executions.claim import ClaimedExecution
from engine.store.executions.offload import OffloadedValues
from engine.store.redis.record_packing import unpack

UNREAD_PAUSE_MS = 5_000
"""Pause before an execution with unreadable inputs is walked again."""
UNREAD_MS = 600_000
"""Time after the first claim at which an execution with unreadable inputs fails."""


@dataclass(frozen=True, slots=True)
class ReadingFaults:
    """Messages about offloaded values that are gone or unreadable."""

    gone: str
    unread: str


UNREAD_INPUTS = ReadingFaults(
    "The inputs of this execution are not there any more",
    "The inputs of this execution cannot be read from where they are kept",
)
UNREAD_DRAFT = ReadingFaults(
    "The draft of this execution is not there any more",
    "The draft of this execution cannot be read from where it is kept",
)


def must_read(claimed: ClaimedExecution, plan: Plan) -> bool:
    """Return whether inputs are offloaded and a node that needs them has not settled."""
    form = plan.request_input
    if claimed.inputs_name is None or form is None:
        return False
    if claimed.status is ExecutionStatus.CANCEL_REQUESTED:
        return False
    return any(
        claimed.statuses[each] not in NODE_TERMINAL for each in (form, *plan.nodes[form].dependents)
    )


async def with_inputs(offloaded: OffloadedValues, claimed: ClaimedExecution) -> ClaimedExecution:
    """Return the execution with its offloaded inputs. Raises FileNotFoundError or StorageFailed."""
    name = claimed.inputs_name or ""
    data = await offloaded.read(claimed.account_id, claimed.execution_id, name)
    return replace(claimed, inputs=unpack(data))


def is_given_up(claimed: ClaimedExecution) -> bool:
    """Return whether the time for reading the inputs is over."""
    return claimed.now - int(claimed.record.get("started", claimed.now)) >= UNREAD_MS
