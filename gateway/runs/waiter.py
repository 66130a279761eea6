"""Waiting for an execution to end, while its caller is connected and the process goes on."""

from enum import Enum

from engine.errors import ExecutionLost, ExecutionNotFound, ResultUnreadable, Unavailable
from engine.executions.execution import TERMINAL, Execution, ExecutionEnd
from engine.store import CompletionWaiter
from gateway.services import GatewayRequest

DISCONNECT_CHECKS = 5
"""One in this many checks tests whether the caller is still connected."""


class Waiter:
    """One caller's wait for one execution; stopping it does not stop the execution."""

    def __init__(self, request: GatewayRequest, account_id: str, execution_id: str) -> None:
        self._request = request
        self._services = request.state["services"]
        self._executions = self._services.store.executions
        self._account_id = account_id
        self._execution_id = execution_id
        self._checks = 0

    async def wait(
        self, completion: CompletionWaiter, seconds: float
    ) -> Execution | ExecutionEnd | None:
        """Return the ended execution, or None when the wait is over and the execution goes on.

        Raises ExecutionLost when Redis no longer has it.
        """

        async def check() -> Execution | ExecutionEnd | _Stop | None:
            return completion.outcome or await self._check(completion.was_notified)

        outcome = await completion.wait(check, seconds)
        return outcome if isinstance(outcome, (Execution, ExecutionEnd)) else None

    async def _check(self, was_notified: bool) -> "Execution | _Stop | None":
        # The execution goes on while the store is unavailable, and so does the wait.
        try:
            if was_notified or await self._has_ended():
                reserve = self._services.result_memory.for_answer(self._request.scope)
                execution = await self._executions.head(
                    self._account_id, self._execution_id, reserve
                )
                if execution.status in TERMINAL:
                    return execution
        except ResultUnreadable:
            raise  # it has ended: the error says how to read it later
        except ExecutionNotFound:
            raise ExecutionLost(self._execution_id) from None
        except Unavailable:
            pass
        if self._services.stopping.is_set() or await self._has_disconnected():
            return _Stop.STOP
        return None

    async def _has_ended(self) -> bool:
        # Thousands may wait and poll once a second: the status alone is cheap.
        status = await self._executions.status(self._account_id, self._execution_id)
        return status in TERMINAL

    async def _has_disconnected(self) -> bool:
        self._checks += 1
        return self._checks % DISCONNECT_CHECKS == 1 and await self._request.is_disconnected()


class _Stop(Enum):
    STOP = "stop"
