"""Waiting for an execution to end, for as long as its caller is there and the process goes on."""

from enum import Enum

from engine.errors import ExecutionLost, ExecutionNotFound, ResultUnreadable, Unavailable
from engine.executions.execution import TERMINAL, Execution, ExecutionEnd
from engine.store import CompletionWaiter
from gateway.services import GatewayRequest

DISCONNECT_CHECKS = 5
"""Of how many checks one asks whether the caller is still there."""


class Waiter:
    """One caller's wait for one execution; it stops the wait, never the execution."""

    def __init__(self, request: GatewayRequest, account_id: str, execution_id: str) -> None:
        self._request = request
        self._services = request.state["services"]
        self._executions = self._services.store.executions
        self._account_id = account_id
        self._execution_id = execution_id
        self._checks = 0

    async def ended(
        self, completion: CompletionWaiter, seconds: float
    ) -> Execution | ExecutionEnd | None:
        """The ended execution, or None when the wait is over and the execution goes on.

        Raises ExecutionLost when Redis does not know it any more.
        """

        async def check() -> Execution | ExecutionEnd | _Stop | None:
            return completion.outcome or await self._check(completion.was_rung)

        outcome = await completion.wait(check, seconds)
        return outcome if isinstance(outcome, (Execution, ExecutionEnd)) else None

    async def _check(self, was_rung: bool) -> "Execution | _Stop | None":
        # What was accepted goes on while the store is away, and so does the wait.
        try:
            if was_rung or await self._has_ended():
                hold = self._services.memory.for_answer(self._request.scope)
                execution = await self._executions.head(self._account_id, self._execution_id, hold)
                if execution.status in TERMINAL:
                    return execution
        except ResultUnreadable:
            raise  # it has ended: where it is to be read later, the answer says
        except ExecutionNotFound:
            raise ExecutionLost(self._execution_id) from None
        except Unavailable:
            pass
        if self._services.stopping.is_set() or await self._is_alone():
            return _Stop.STOP
        return None

    async def _has_ended(self) -> bool:
        # Thousands may wait and look once a second: the status alone is cheap.
        status = await self._executions.status(self._account_id, self._execution_id)
        return status in TERMINAL

    async def _is_alone(self) -> bool:
        self._checks += 1
        return self._checks % DISCONNECT_CHECKS == 1 and await self._request.is_disconnected()


class _Stop(Enum):
    STOP = "stop"
