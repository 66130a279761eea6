"""Waiting for an execution to end, for as long as its caller is there and the process goes on."""

import asyncio
import contextlib
from enum import Enum

from engine.errors import ExecutionNotFound, Unavailable
from engine.executions import TERMINAL, Execution
from gateway.services import GatewayRequest


class Waiter:
    """One caller's wait for one execution; it stops the wait, never the execution.

    It listens from the moment it is entered, before the execution is accepted, so that no ring
    is missed in between.
    """

    def __init__(
        self, request: GatewayRequest, account_id: str, execution_id: str, seconds: float
    ) -> None:
        self._request = request
        self._services = request.state["services"]
        self._account_id = account_id
        self._execution_id = execution_id
        self._seconds = seconds

    async def __aenter__(self) -> "Waiter":
        wait = self._services.bell.wait(self._execution_id, self._check, self._seconds)
        self._task = asyncio.create_task(wait, name=f"wait {self._execution_id}")
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._task.cancel()

    async def ended(self) -> Execution | None:
        """The ended execution, or None when the wait is over and the execution goes on."""
        outcome = await self._task
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
