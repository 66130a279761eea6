"""Plans of executions on record, those of children too."""

from collections.abc import Mapping, Sequence

from engine.errors import InvalidGraph, NotFound
from engine.graph.body_paths import BODY, body_at, parse_path
from engine.graph.draft_graph import DraftGraph
from engine.graph.plan import NodeName, Plan, unpack_names
from engine.store import ReserveMemory, Store
from engine.store.executions.read.recorded_values import DRAFT, RecordedValues

DRAFT_OF = "draft_of"
"""Field of a child's record: the execution whose record has the graph of the draft."""


async def read_plan(
    store: Store,
    account_id: str,
    execution_id: str,
    record: Mapping[str, bytes],
    reserve: ReserveMemory | None = None,
) -> Plan | None:
    """Return the plan of an execution, given its whole record; None where that is gone.

    Raises ResultUnreadable for the large graph of a draft, and Unavailable.
    """
    try:
        plan = await _read_whole(store, account_id, execution_id, record, reserve)
    except (NotFound, InvalidGraph):
        return None
    return None if plan is None else body_at(plan, parse_path(record.get(BODY)))


async def _read_whole(
    store: Store,
    account_id: str,
    execution_id: str,
    record: Mapping[str, bytes],
    reserve: ReserveMemory | None,
) -> Plan | None:
    """Return the plan of the workflow, in which that of a body may lie."""
    if DRAFT_OF in record:
        execution_id = record[DRAFT_OF].decode()
        record = await store.executions.record(account_id, execution_id)
        if DRAFT not in record:
            return None
    if DRAFT in record:
        recorded = RecordedValues(store.offloaded, account_id, execution_id, record, reserve)
        graph = await recorded.value(DRAFT)
        return None if graph is None else await DraftGraph.of(graph).compile_aside()
    models = record.get("models", b"").decode()
    return await store.workflows.plan_of_execution(
        account_id,
        record.get("slug", b"").decode(),
        int(record.get("version") or 0),
        models.split(",") if models else (),
    )


async def read_child_names(
    store: Store, account_id: str, execution_id: str
) -> Sequence[NodeName] | None:
    """Return the names of the nodes of a child; None: they are those of its version.

    There are none where the plan of its body is gone.
    """
    record = await store.executions.record(account_id, execution_id)
    if "names" in record:
        return unpack_names(record["names"])
    if BODY not in record and DRAFT_OF not in record:
        return None
    plan = await read_plan(store, account_id, execution_id, record)
    return () if plan is None else plan.names
