"""Waiting for an execution to end, for as long as its caller is there and the process goes on."""

import contextlib
from enum import Enum

from engine.errors import ExecutionNotFound, Unavailable
from engine.executions import TERMINAL, Execution
from engine.store import Ring
from gateway.services import GatewayRequest


class Waiter:
    """One caller's wait for one execution; it stops the wait, never the execution."""

    def __init__(self, request: GatewayRequest, account_id: str, execution_id: str) -> None:
        self._request = request
        self._services = request.state["services"]
        self._account_id = account_id
        self._execution_id = execution_id

    async def ended(self, ring: Ring, seconds: float) -> Execution | None:
        """The ended execution, or None when the wait is over and the execution goes on."""
        outcome = await ring.wait(self._check, seconds)
        return outcome if isinstance(outcome, Execution) else None

    async def _check(self) -> "Execution | _Stop | None":
        # What was accepted goes on while the store is away, and so does the wait.
        with contextlib.suppress(Unavailable, ExecutionNotFound):
            execution = await self._services.store.executions.head(
                self._account_id, self._execution_id
            )
            if execution.status in TERMINAL:
                return execution
        if self._services.stopping.is_set() or await self._request.is_disconnected():
            return _Stop.STOP
        return None


class _Stop(Enum):
    STOP = "stop"
