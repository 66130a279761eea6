"""Start of an execution in which nodes are settled already."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.executions.rows import NodeRow, StepRows, pack_rows, split_outputs
from engine.executions.statuses import NODE_TERMINAL, NodeStatus
from engine.graph.plan import NodeName, Plan, pack_names
from engine.store.executions.record_fields import SEEDED, SEEDED_OUTPUTS
from engine.store.redis.connection import Argument
from engine.store.redis.record_packing import pack

Fields = Mapping[str, bytes | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Failed execution that is retried, and its last retry if another may follow it."""

    execution_id: str
    former_retry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """State that an execution begins with: nodes that are settled, and checkpoints of others."""

    statuses: Sequence[NodeStatus]
    """Status of each node in plan order."""
    rows: Sequence[NodeRow] = ()
    """Rows of the settled nodes."""
    slug: str = ""
    """Workflow of a draft that is run; empty for saved versions and models."""
    fields: Fields = field(default_factory=dict)
    """Further fields of the record."""
    retry: Retry | None = None
    store_objects: Callable[[], Awaitable[None]] | None = None
    """Stores the objects that rows and fields name; None: they name none."""
    is_free: bool = False
    """No node will be charged: a replay takes recorded outcomes in place of calls."""

    def record_fields(self) -> dict[str, Argument]:
        """Return the fields of the record by name."""
        fields: dict[str, Argument] = {**self.fields}
        if self.rows:
            rows, outputs = split_outputs(self.rows)
            fields |= {SEEDED: pack_rows(StepRows(rows)), SEEDED_OUTPUTS: pack(outputs)}
        if self.retry is not None:
            fields["retry_of"] = self.retry.execution_id
        if self.store_objects is not None:
            fields["has_objects"] = "1"
        return fields

    def charged_part(self, plan: Plan) -> Plan:
        """Return the plan with the models of the nodes that will run."""
        if self.is_free:
            return replace(plan, models={}, children=(), derived={})
        models = {
            index: model
            for index, model in plan.models.items()
            if self.statuses[index] not in NODE_TERMINAL
        }
        children = (i for i in plan.children if self.statuses[i] not in NODE_TERMINAL)
        return replace(plan, models=models, children=tuple(children), derived={})


def draft_fields(packed_graph: bytes, names: Sequence[NodeName]) -> Fields:
    """Return the fields with the graph of a draft, or the name of its object, and node names."""
    return {"draft": packed_graph, "names": pack_names(names)}
