"""Ids of executions in paths."""

from engine.errors import ExecutionNotFound
from engine.ids.executions import is_execution_id
from gateway.services import GatewayRequest


def read_execution_id(request: GatewayRequest) -> str:
    """Return the id in the path. Raises ExecutionNotFound for any other text."""
    execution_id: str = request.path_params["execution_id"]
    if not is_execution_id(execution_id):
        raise ExecutionNotFound
    return execution_id
