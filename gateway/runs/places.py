"""Places of executions: their ids in paths, and the list or the parent to which they belong."""

from typing import Any

from engine.errors import ExecutionNotFound
from engine.executions.execution import ChildPlace, Execution
from engine.executions.sources import Source
from engine.ids.executions import is_execution_id
from gateway.services import GatewayRequest


def read_execution_id(request: GatewayRequest) -> str:
    """Return the id in the path. Raises ExecutionNotFound for any other text."""
    execution_id: str = request.path_params["execution_id"]
    if not is_execution_id(execution_id):
        raise ExecutionNotFound
    return execution_id


def place_members(record: Execution) -> dict[str, Any]:
    """Return the members of a view that name an execution's list of runs and its parent."""
    return _list_members(record) | _parent_members(record.child)


def _list_members(record: Execution) -> dict[str, Any]:
    """Return the members that name its batch, replay or test run, which the record has alike."""
    is_replay, is_test = record.source == Source.REPLAY, record.source == Source.TEST
    is_item = not (is_replay or is_test)
    return {
        "batch_id": record.batch_id if is_item else None,
        "batch_index": record.batch_index if is_item else None,
        "replay_id": record.batch_id if is_replay else None,
        "test_run_id": record.batch_id if is_test else None,
    }


def _parent_members(child: ChildPlace | None) -> dict[str, Any]:
    return {
        "parent_id": child and child.parent_id,
        "parent_node_id": child and child.node_id,
        "root_id": child and child.root_id,
        "depth": child.depth if child else 0,
        "child_index": child and child.index,
    }
