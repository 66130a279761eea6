"""Waiting for an execution to end, while its caller is connected and the process goes on."""

from enum import Enum

from engine.errors import ExecutionLost, ExecutionNotFound, ResultUnreadable, Unavailable
from engine.executions.execution import TERMINAL, Execution, ExecutionEnd
from engine.store import CompletionWaiter
from gateway.http.disconnects import has_disconnected
from gateway.services import GatewayRequest

DISCONNECT_CHECKS = 5
"""One in this many checks tests whether the caller is still connected."""


class Waiter:
    """One caller's wait for one execution; stopping it does not stop the execution."""

    __slots__ = ("_account_id", "_checks", "_completion", "_request")

    def __init__(
        self, request: GatewayRequest, account_id: str, completion: CompletionWaiter
    ) -> None:
        self._request = request
        self._account_id = account_id
        self._completion = completion
        self._checks = 0

    async def wait(self, seconds: float) -> Execution | ExecutionEnd | None:
        """Return the ended execution, or None when the wait is over and the execution goes on.

        Raises ExecutionLost when Redis no longer has it.
        """
        outcome = await self._completion.wait(self._find_outcome, seconds)
        return outcome if isinstance(outcome, (Execution, ExecutionEnd)) else None

    async def _find_outcome(self) -> "Execution | ExecutionEnd | _Stop | None":
        return self._completion.outcome or await self._check(self._completion.was_notified)

    async def _check(self, was_notified: bool) -> "Execution | _Stop | None":
        # The execution goes on while the store is unavailable, and so does the wait.
        services, execution_id = self._request.services, self._completion.execution_id
        executions = services.store.executions
        try:
            # Thousands may wait and poll once a second: the status alone is cheap.
            if was_notified or await executions.status(self._account_id, execution_id) in TERMINAL:
                reserve = services.result_memory.for_answer(self._request.scope)
                execution = await executions.head(self._account_id, execution_id, reserve)
                if execution.status in TERMINAL:
                    return execution
        except ResultUnreadable:
            raise  # it has ended: the error says how to read it later
        except ExecutionNotFound:
            raise ExecutionLost(execution_id) from None
        except Unavailable:
            pass
        if services.stopping.is_set() or self._has_disconnected():
            return _Stop.STOP
        return None

    def _has_disconnected(self) -> bool:
        self._checks += 1
        return self._checks % DISCONNECT_CHECKS == 1 and has_disconnected(self._request.receive)


class _Stop(Enum):
    STOP = "stop"
