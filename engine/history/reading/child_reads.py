"""Reads of archived executions that the nodes of another one began."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from engine.executions.statuses import TERMINAL, ExecutionStatus
from engine.history.reading.execution_reads import archived_head
from engine.history.schema import child_executions
from engine.store.archive.archive import ArchivedExecution, ParentNode

OF = child_executions.c
HEAD = [column for column in child_executions.columns if column is not OF.result]


def read_children(
    connection: Connection,
    account_id: str,
    place: ParentNode,
    statuses: Collection[ExecutionStatus],
    *,
    after: int,
    limit: int,
) -> Sequence[ArchivedExecution]:
    """Return children of a node after an index, in the order of their indexes.

    Without statuses any matches.
    """
    query = select(*HEAD).where(
        OF.account_id == account_id,
        OF.parent_id == place.parent_id,
        OF.parent_node_id == place.node_id,
        OF.child_index > after,
    )
    if statuses:
        query = query.where(OF.status.in_(sorted(TERMINAL.intersection(statuses))))
    rows = connection.execute(query.order_by(OF.child_index).limit(limit))
    return [archived_head(row) for row in rows]
