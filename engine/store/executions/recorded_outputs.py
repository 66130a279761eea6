"""Outputs of an ended execution on its record."""

from collections.abc import Mapping

from engine.executions.execution import NodeStatus, parse_node_statuses
from engine.graph.plan import Plan
from engine.store.executions.record_fields import parse_rows


def has_all_outputs(record: Mapping[str, bytes], plan: Plan) -> bool:
    """Return whether the outputs of all completed nodes are on record, or named there.

    The outputs of the Response Output are the result of the execution.
    """
    rows = parse_rows(record)
    for index, status in enumerate(parse_node_statuses(record["statuses"].decode())):
        if status is NodeStatus.COMPLETED and index != plan.response_output:
            row = rows.get(index)
            if row is None or row[5] is None:
                return False
    return True
