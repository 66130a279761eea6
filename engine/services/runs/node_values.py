"""Values of one node of an execution: its inputs, outputs and attempts.

Inputs are on no record: they follow from the plan and the outputs of the nodes before. A run that
was walked before its claim has no outputs on record either; its nodes are pure, so they are
computed again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import ExecutionNotFound, NodeNotFound, NotFound
from engine.executions.execution import Execution, NodeExecution
from engine.executions.statuses import NodeStatus
from engine.graph.body_paths import BODY
from engine.graph.failures import fallback_of
from engine.graph.plan import NodeName, Plan, unpack_names
from engine.graph.plan_digest import is_plan_of
from engine.graph.progress import Progress
from engine.graph.replay import replay
from engine.nodes.agents.steps import AgentStep
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import Outputs
from engine.services.runs.agents.steps import RecordedAgent, is_agent, read_steps
from engine.services.runs.recorded_plans import DRAFT_OF, read_plan
from engine.store import ReserveMemory, Store
from engine.store.executions.offload import size_of
from engine.store.executions.read.attempts import NodeAttempts, parse_attempts
from engine.store.executions.read.recorded_values import INPUTS, RESULT, RecordedValues
from engine.store.executions.record_fields import (
    HEAD_FIELDS,
    WALKED_UNCLAIMED,
    are_values_dropped,
    parse_head,
    parse_name,
    parse_nodes,
    parse_rows,
)

GAVE_OUTPUTS = (NodeStatus.COMPLETED, NodeStatus.FAILED)
"""Statuses of nodes that may have outputs; failed ones have those of their settings."""
MAX_INPUTS_BYTES = 67_108_864
"""Packed size of all inputs of a node up to which they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeValues:
    """One node of an execution, with its values by socket."""

    node: NodeExecution
    attempts: NodeAttempts
    inputs: Mapping[str, Any] | None
    """Values delivered so far; None: they are not on record, or too large for any node."""
    outputs: Mapping[str, Any] | None
    """None: the node has given none, or they are not on record.

    A failed node has given its fallback values, or the error at `error-out`.
    """
    is_recorded: bool
    """Whether the execution's values stayed on record after its end."""
    bytes: int
    """Packed size of the values that were read."""
    steps: Sequence[AgentStep] | None = None
    """Steps of an agent so far; None: the node is none, or they are not on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionInputs:
    """Inputs of an execution, None where they are not on record, and their packed size."""

    inputs: Mapping[str, Any] | None
    bytes: int


async def read_node(
    store: Store,
    account_id: str,
    execution_id: str,
    node_id: str,
    reserve: ReserveMemory | None = None,
) -> NodeValues:
    """Return a node of an execution. Raises ExecutionNotFound, NodeNotFound or ResultUnreadable.

    `reserve` reserves memory for large values.
    """
    record = await store.executions.record(account_id, execution_id)
    if "status" not in record:
        raise ExecutionNotFound
    values = [record.get(name) for name in HEAD_FIELDS]
    execution = parse_head(account_id, execution_id, values, parse_nodes(record))
    _check_visible(record)
    index = await _find(store, execution, record, node_id)
    recorded = RecordedValues(store.offloaded, account_id, execution_id, record, reserve)
    plan = await read_plan(store, account_id, execution_id, record, reserve)
    if plan is not None and not is_plan_of(plan, record):
        plan = None  # of another release: its indices are not those of the record
    node, is_recorded = execution.nodes[index], not are_values_dropped(record)
    inputs, outputs = None, None
    if plan is not None and is_recorded:
        wanted = {index, *plan.nodes[index].dependencies}
        known = await _outputs(plan, record, recorded, wanted)
        progress = Progress(plan, [each.status for each in execution.nodes], _padded(plan, known))
        inputs = await _inputs(progress, index, recorded)
        outputs = known.get(index) if node.status in GAVE_OUTPUTS else None
    steps = None
    if plan is not None and is_agent(plan.nodes[index]) and "owner" not in record:
        place = account_id, execution_id, plan.nodes[index], node
        agent = RecordedAgent(*place, inputs, outputs, is_recorded)
        steps = await read_steps(store, agent, recorded.make_room, reserve)
    ready_at = None if plan is None else _ready_at(plan, record, execution, index)
    return NodeValues(
        node=node,
        attempts=parse_attempts(record, index, node.status, ready_at),
        inputs=inputs,
        outputs=outputs,
        is_recorded=is_recorded,
        bytes=recorded.bytes,
        steps=steps,
    )


class OutputsTooLarge(Exception):
    """The outputs of all nodes of an execution take more memory than they may."""


async def read_all_outputs(
    store: Store, account_id: str, execution_id: str, plan: Plan, record: Mapping[str, bytes]
) -> dict[int, Outputs]:
    """Return the recorded outputs of all nodes of an execution with this plan and record.

    There are none where its values were dropped. Raises OutputsTooLarge or ResultUnreadable.
    """
    if are_values_dropped(record):
        return {}
    rows = (row.outputs for row in parse_rows(record).values())
    sizes = (size_of(each) if isinstance(each, str) else len(each) for each in rows if each)
    if sum(sizes) > MAX_INPUTS_BYTES:
        raise OutputsTooLarge
    recorded = RecordedValues(store.offloaded, account_id, execution_id, record)
    return await _outputs(plan, record, recorded, set(range(len(plan.nodes))))


async def read_inputs(
    store: Store, account_id: str, execution_id: str, reserve: ReserveMemory | None = None
) -> ExecutionInputs:
    """Return the inputs of an execution.

    Raises ExecutionNotFound or ResultUnreadable.
    """
    record = await store.executions.record(account_id, execution_id)
    if "status" not in record:
        raise ExecutionNotFound
    _check_visible(record)
    recorded = RecordedValues(store.offloaded, account_id, execution_id, record, reserve)
    return ExecutionInputs(inputs=await recorded.value(INPUTS), bytes=recorded.bytes)


def _check_visible(record: Mapping[str, bytes]) -> None:
    """Raise ExecutionNotFound for a child of a public workflow of another account."""
    if "parent" in record and "owner" in record:
        raise ExecutionNotFound


async def _find(
    store: Store, execution: Execution, record: Mapping[str, bytes], node_id: str
) -> int:
    names = await _names(store, execution, record)
    indexes: Sequence[int] = [index for index, name in enumerate(names) if name.id == node_id]
    if not indexes:
        raise NodeNotFound
    return indexes[0]


async def _names(
    store: Store, execution: Execution, record: Mapping[str, bytes]
) -> Sequence[NodeName]:
    if "names" in record:
        return unpack_names(record["names"])
    if BODY in record or DRAFT_OF in record:
        plan = await read_plan(store, execution.account_id, execution.id, record)
        return () if plan is None else plan.names
    slug, version = execution.workflow_slug, execution.workflow_version
    try:
        return await store.workflows.node_names(
            execution.account_id, slug, version, execution.model_ids
        )
    except NotFound:
        raise NodeNotFound from None


async def _outputs(
    plan: Plan, record: Mapping[str, bytes], recorded: RecordedValues, wanted: set[int]
) -> dict[int, Outputs]:
    """Return the outputs of these nodes."""
    if WALKED_UNCLAIMED in record:
        return await replay(plan, await recorded.value(INPUTS))
    made = _fallbacks(plan, record, wanted)
    form = plan.request_input
    rows = parse_rows(record)
    if form in wanted and form in rows and rows[form].outputs == parse_name(record.get(INPUTS)):
        wanted.discard(form)  # its output is read from the object of the inputs
        before, inputs = recorded.bytes, await recorded.value(INPUTS)
        recorded.sizes[form] = recorded.bytes - before
        made |= {} if inputs is None else {form: outputs_of(plan.fields, inputs)}
        return made | await recorded.outputs(wanted)
    outputs = made | await recorded.outputs(wanted)
    response = plan.response_output
    if response in wanted and (result := await recorded.value(RESULT)) is not None:
        outputs[response] = {"result": result}
    return outputs


def _fallbacks(
    plan: Plan, record: Mapping[str, bytes], wanted: Collection[int]
) -> dict[int, Outputs]:
    """Return the fallback values of failed nodes, which are on no record."""
    rows = parse_rows(record)
    failed = (index for index in wanted if index in rows and rows[index].error is not None)
    found = {index: fallback_of(plan.nodes[index]) for index in failed}
    return {index: outputs for index, outputs in found.items() if outputs is not None}


async def _inputs(
    progress: Progress, index: int, recorded: RecordedValues
) -> Mapping[str, Any] | None:
    """Return the delivered values; None where they are larger than the inputs of any node.

    A value counts for each wire: many wires to one large output would fill the memory.
    """
    delivered = progress.delivered(index)
    size = sum(recorded.sizes.get(in_edge.source, 0) for in_edge, _ in delivered)
    if size > MAX_INPUTS_BYTES:
        return None
    await recorded.make_room(size)
    return progress.inputs(index, delivered)


def _padded(plan: Plan, known: Mapping[int, Outputs]) -> dict[int, Outputs | None]:
    """Return outputs of all nodes, None for unread and for removed ones."""
    return {node.index: known.get(node.index) for node in plan.nodes}


def _ready_at(
    plan: Plan, record: Mapping[str, bytes], execution: Execution, index: int
) -> int | None:
    """Return when a node could first run: its last dependency had ended, or the run began."""
    rows = parse_rows(record)
    ends = (rows[each].ended_at for each in plan.nodes[index].dependencies if each in rows)
    return max((at for at in ends if at is not None), default=execution.created_at)
