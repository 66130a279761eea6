"""Answer of a run at its end, while its caller is connected and the process goes on."""

import contextlib
import time
from enum import Enum

from starlette.responses import Response

from engine.errors import ExecutionLost, ExecutionNotFound, ResultUnreadable, Unavailable
from engine.executions.execution import Execution, ExecutionOutcome
from engine.executions.statuses import TERMINAL
from engine.ids.idempotency import IdempotencyKey
from gateway.http.disconnects import has_disconnected
from gateway.runs.answers import ACCEPTED, answer_accepted, answer_ended
from gateway.runs.request import RunParameters
from gateway.services import GatewayRequest

DISCONNECT_CHECKS = 5
"""One in this many checks tests whether the caller is still connected."""


class PendingRunAnswer:
    """Answer of a run whose end its caller waits for; giving it up does not stop the run.

    It is made before the run is accepted, so that its end is not missed.
    """

    __slots__ = (
        *("_account_id", "_began", "_checks", "_completion", "_idempotency_key"),
        *("_request", "_wait_seconds", "warnings"),
    )

    def __init__(
        self,
        request: GatewayRequest,
        account_id: str,
        execution_id: str,
        parameters: RunParameters,
    ) -> None:
        self._request = request
        self._account_id = account_id
        self._completion = request.services.notifier.expect(execution_id)
        self._wait_seconds = parameters.wait_seconds
        self._idempotency_key = parameters.idempotency_key
        self._began = parameters.began
        self._checks = 0
        self.warnings: tuple[str, ...] = ()
        """Sentences for the caller, known once the run is accepted."""

    @property
    def execution_id(self) -> str:
        """Id of the execution."""
        return self._completion.execution_id

    @property
    def milliseconds(self) -> int:
        """Time since the request began."""
        return int((time.perf_counter() - self._began) * 1000)

    async def finish(self) -> Response:
        """Return the answer after the end of the run, or that it goes on."""
        execution = await self.wait()
        milliseconds = self.milliseconds
        if self._idempotency_key is not None:
            return await self._first_answer(self._idempotency_key, execution, milliseconds)
        if execution is None:
            return answer_accepted(self.execution_id, warnings=self.warnings)
        return answer_ended(execution, milliseconds, self.warnings)

    async def wait(self) -> Execution | ExecutionOutcome | None:
        """Return the ended execution, or None when the wait is over and the execution goes on.

        Raises ExecutionLost when Redis no longer has it.
        """
        try:
            outcome = await self._completion.wait(self._find_outcome, self._wait_seconds)
        finally:
            self.discard()
        return outcome if isinstance(outcome, (Execution, ExecutionOutcome)) else None

    def discard(self) -> None:
        """Wait no longer; the run goes on."""
        self._request.services.notifier.leave(self._completion)

    async def _find_outcome(self) -> "Execution | ExecutionOutcome | _Stop | None":
        return self._completion.outcome or await self._check(self._completion.was_notified)

    async def _check(self, was_notified: bool) -> "Execution | _Stop | None":
        # The execution goes on while the store is unavailable, and so does the wait.
        services, ids = self._request.services, (self._account_id, self.execution_id)
        executions = services.store.executions
        try:
            # Thousands may wait and poll once a second: the status alone is cheap.
            if was_notified or await executions.status(*ids) in TERMINAL:
                reserve = services.result_memory.for_answer(self._request.context)
                execution = await executions.head(*ids, reserve)
                if execution.status in TERMINAL:
                    return execution
        except ResultUnreadable:
            raise  # it has ended: the error says how to read it later
        except ExecutionNotFound:
            raise ExecutionLost(self.execution_id) from None
        except Unavailable:
            pass
        if services.stopping.is_set() or self._has_disconnected():
            return _Stop.STOP
        return None

    def _has_disconnected(self) -> bool:
        self._checks += 1
        return self._checks % DISCONNECT_CHECKS == 1 and has_disconnected(self._request.receive)

    async def _first_answer(
        self,
        idempotency_key: IdempotencyKey,
        execution: Execution | ExecutionOutcome | None,
        milliseconds: int,
    ) -> Response:
        """Record the answer for repeated calls, then return the recorded one."""
        request, account_id = self._request, self._account_id
        store, answer = request.services.store, str(milliseconds) if execution else ACCEPTED
        # A caller that has hung up got no answer: its repeated call may still wait for the end.
        if execution is not None or not has_disconnected(request.receive):
            with contextlib.suppress(Unavailable):
                answer = await store.acceptance.record_answer(account_id, idempotency_key, answer)
        if answer == ACCEPTED:
            return answer_accepted(self.execution_id, warnings=self.warnings)
        if execution is None:
            reserve = request.services.result_memory.for_answer(request.context)
            execution = await store.executions.head(account_id, self.execution_id, reserve)
        return answer_ended(execution, int(answer), self.warnings)


class _Stop(Enum):
    STOP = "stop"
