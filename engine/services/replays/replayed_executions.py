"""Earlier executions that a replay runs again: which may be, and their recorded values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidBody
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus, NodeStatus, parse_node_statuses
from engine.graph.failures import fallback_of
from engine.graph.plan import Plan
from engine.graph.plan_digest import is_plan_of
from engine.graph.progress import Progress
from engine.nodes.request_input import outputs_of
from engine.nodes.support.base import Outputs
from engine.services.runs.recorded_plans import read_plan
from engine.store import Store
from engine.store.executions.offload import size_of
from engine.store.executions.read.recorded_values import INPUTS, RecordedValues
from engine.store.executions.record_fields import (
    WALKED_UNCLAIMED,
    are_values_dropped,
    parse_name,
    parse_rows,
)
from engine.store.formats import Format

ENDED = (ExecutionStatus.COMPLETED.value.encode(), ExecutionStatus.FAILED.value.encode())
NOT_REPLAYED = frozenset(
    each.value.encode() for each in (Source.APP_DRAFT, Source.REPLAY, Source.TEST, Source.SUB)
)
"""Sources whose executions no replay runs again."""

Record = Mapping[str, bytes]


def fault_of(record: Record, slug: str) -> str | None:
    """Return the reason why no replay of the workflow runs an execution again; None: it may.

    `record` is the whole record, empty for an execution that is not the account's.
    """
    if "status" not in record or "owner" in record:
        return "is no execution of yours"
    if record["slug"].decode() != slug or not slug:
        return "is an execution of another workflow"
    if record["source"] in NOT_REPLAYED or "parent" in record:
        return "is of a draft, a replay or a test, or of a node of another execution"
    if record["status"] not in ENDED:
        return "has neither completed nor failed"
    if are_values_dropped(record):
        return "has no recorded values"
    if not Format.EXECUTION.knows(record):
        return "is of a later version of this service"
    return None


@dataclass(frozen=True, slots=True)
class ReplayedExecution:
    """Execution with its whole record, as a replay runs it again."""

    store: Store
    account_id: str
    id: str
    record: Record

    @classmethod
    async def read(
        cls, store: Store, account_id: str, slug: str, execution_id: str
    ) -> "ReplayedExecution":
        """Return an execution. Raises InvalidBody for one that no replay can run again."""
        record = await store.executions.record(account_id, execution_id)
        former = cls(store, account_id, execution_id, record)
        reason = fault_of(record, slug)
        if reason is not None:
            raise former.refusal(reason)
        return former

    def refusal(self, reason: str) -> InvalidBody:
        """Return the refusal of the execution."""
        return InvalidBody(f"Execution {self.id} {reason}", executionIds=[self.id])

    async def read_inputs(self) -> Mapping[str, Any]:
        """Return the inputs that the execution had. Raises InvalidBody or ResultUnreadable."""
        inputs = await self._values.value(INPUTS)
        if inputs is None:
            raise self.refusal("has lost its inputs")
        checked: Mapping[str, Any] = inputs
        return checked

    async def read_plan(self) -> Plan:
        """Return the plan that it ran. Raises InvalidBody or ResultUnreadable."""
        plan = await read_plan(self.store, self.account_id, self.id, self.record)
        if plan is None:
            raise self.refusal("ran a version that is not kept any more")
        if not is_plan_of(plan, self.record):
            raise self.refusal("ran on another version of this service")
        return plan

    @property
    def has_values(self) -> bool:
        """Whether its values are on record, in a format that is known here."""
        is_known = Format.EXECUTION.knows(self.record)
        return is_known and "inputs" in self.record and not are_values_dropped(self.record)

    @property
    def was_walked_unclaimed(self) -> bool:
        """Whether all of its nodes were pure, and their outputs are on no record."""
        return WALKED_UNCLAIMED in self.record

    @property
    def bytes(self) -> int:
        """Size of its recorded outputs that are objects."""
        names = (row.outputs for row in parse_rows(self.record).values())
        return sum(size_of(name) for name in names if isinstance(name, str))

    async def read_progress(self, plan: Plan) -> Progress:
        """Return the ended walk of its plan, with all recorded outputs. Raises ResultUnreadable."""
        statuses = parse_node_statuses(self.record["statuses"].decode())
        rows = parse_rows(self.record)
        outputs: dict[int, Outputs | None] = {
            index: fallback_of(plan.nodes[index])
            for index, status in enumerate(statuses)
            if status is NodeStatus.FAILED
        }
        form, wanted = plan.request_input, set(rows)
        if form in rows and rows[form].outputs == parse_name(self.record.get(INPUTS)):
            wanted.discard(form)  # its output is read from the object of the inputs
            outputs[form] = outputs_of(plan.fields, await self.read_inputs())
        outputs |= await self._values.outputs(wanted)
        missing = dict.fromkeys(range(len(plan.nodes)))
        return Progress(plan, statuses, {**missing, **outputs})

    @property
    def _values(self) -> RecordedValues:
        return RecordedValues(self.store.offloaded, self.account_id, self.id, self.record)
