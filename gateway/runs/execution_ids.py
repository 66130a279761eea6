"""Ids of executions in paths."""

import re

from engine.errors import ExecutionNotFound
from gateway.services import GatewayRequest

UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


def read_execution_id(request: GatewayRequest) -> str:
    """Return the id in the path. Raises ExecutionNotFound for what is no id."""
    execution_id: str = request.path_params["execution_id"]
    if UUID.fullmatch(execution_id) is None:
        raise ExecutionNotFound
    return execution_id
