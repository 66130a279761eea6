"""Answer of a run at its end, while its caller is connected and the process goes on."""

import asyncio
import contextlib
import time
from enum import Enum

from starlette.responses import Response

from engine.errors import ExecutionLost, ExecutionNotFound, ResultUnreadable, Unavailable
from engine.executions.execution import Execution, ExecutionOutcome
from engine.executions.statuses import TERMINAL
from engine.ids.idempotency import IdempotencyKey
from engine.store import Principal
from engine.store.executions.caller_waits import WaitDecision, WaitVerdict
from engine.store.executions.notifier import CHECK_SECONDS
from engine.telemetry.metrics import CALLERS_WAITING
from gateway.http.disconnects import has_disconnected
from gateway.runs.answers import ACCEPTED, answer_accepted, answer_ended
from gateway.runs.request import RunParameters
from gateway.services import GatewayRequest

DISCONNECT_CHECKS = 5
"""One in this many checks tests whether the caller is still connected."""


class _WaitingCallers:
    """Number of callers of this process that wait."""

    count = 0


_waiting = _WaitingCallers()
CALLERS_WAITING.set_function(lambda: _waiting.count)


class PendingRunAnswer:
    """Answer of a run whose end its caller waits for; giving it up does not stop the run.

    It is made before the run is accepted, so that its end is not missed. An end that cannot be
    answered is delivered to the webhook of the caller's key.
    """

    __slots__ = (
        *("_began", "_checks", "_completion", "_idempotency_key", "_is_decided", "_is_left"),
        "_is_of_model",
        "_principal",
        *("_request", "_wait_seconds", "warnings"),
    )

    def __init__(
        self,
        request: GatewayRequest,
        principal: Principal,
        execution_id: str,
        parameters: RunParameters,
    ) -> None:
        self._request = request
        self._principal = principal
        self._completion = request.services.notifier.expect(execution_id)
        self._wait_seconds = parameters.wait_seconds
        self._idempotency_key = parameters.idempotency_key
        self._is_of_model = parameters.is_of_model
        self._began = parameters.began
        self._checks = 0
        self._is_left = False
        self._is_decided = False
        """Whether a webhook is notified of the end, or nobody: a caller who goes is not told."""
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
        lease = self._request.services.wait_lease
        try:
            execution = await self.wait()
            if execution is not None and lease.covers(self._began):
                return await self._answer_end(execution)
            return await self._end_wait()
        except asyncio.CancelledError:
            lease.is_kept = True  # the process stops before the store could be asked
            raise
        finally:
            if not self._is_decided and has_disconnected(self._request.receive):
                await self._deliver_end()

    async def wait(self) -> Execution | ExecutionOutcome | None:
        """Return the ended execution, or None when the wait is over and the execution goes on.

        Raises ExecutionLost when Redis no longer has it.
        """
        _waiting.count += 1
        try:
            outcome = await self._completion.wait(self._find_outcome, self._wait_seconds)
        finally:
            _waiting.count -= 1
            self.discard()
        return outcome if isinstance(outcome, (Execution, ExecutionOutcome)) else None

    def leave(self) -> None:
        """Let `finish` end at once, since the caller has hung up."""
        self._is_left = True
        self._completion.wake()

    def discard(self) -> None:
        """Wait no longer; the run goes on."""
        self._request.services.notifier.leave(self._completion)

    async def _find_outcome(self) -> "Execution | ExecutionOutcome | _Stop | None":
        return self._completion.outcome or await self._check(self._completion.was_notified)

    async def _check(self, was_notified: bool) -> "Execution | _Stop | None":
        # The execution goes on while the store is unavailable, and so does the wait.
        if self._is_left:
            return _Stop.STOP
        services = self._request.services
        ids = self._principal.account.id, self.execution_id
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

    async def _answer_end(self, execution: Execution | ExecutionOutcome) -> Response:
        """Return the answer of the ended run, as it is recorded for repeated calls."""
        milliseconds = self.milliseconds
        if self._idempotency_key is not None:
            milliseconds = await self._record_answer(self._idempotency_key, milliseconds)
        is_of_model = self._is_of_model
        return answer_ended(execution, milliseconds, self.warnings, is_of_model=is_of_model)

    async def _record_answer(self, idempotency_key: IdempotencyKey, milliseconds: int) -> int:
        """Record the time of the answer for repeated calls, and return the recorded one."""
        acceptance, account_id = self._request.services.store.acceptance, self._principal.account.id
        with contextlib.suppress(Unavailable):
            answer = str(milliseconds)
            return int(await acceptance.record_answer(account_id, idempotency_key, answer))
        return milliseconds

    async def _end_wait(self) -> Response:
        """Return the answer of a run whose end is waited for no longer, as one script decides."""
        services = self._request.services
        if has_disconnected(self._request.receive):
            return answer_accepted(self.execution_id, warnings=self.warnings)  # to nobody
        try:
            decision = await self._decide(is_caller_gone=False)
        except Unavailable:
            self._is_decided = True
            return answer_accepted(self.execution_id, warnings=self.warnings)
        if decision.verdict is WaitVerdict.ENDED:
            reserve = services.result_memory.for_answer(self._request.context)
            ids = self._principal.account.id, self.execution_id
            return await self._answer_end(await services.store.executions.head(*ids, reserve))
        self._is_decided = True
        if decision.verdict is WaitVerdict.MISSING:
            raise ExecutionLost(self.execution_id)
        return answer_accepted(self.execution_id, decision.webhook_url, self.warnings)

    async def _deliver_end(self) -> None:
        """Deliver the end of a run whose caller has hung up, as soon as the store answers."""
        stopping = self._request.services.stopping
        while True:
            try:
                await self._decide(is_caller_gone=True)
                return
            except Unavailable:
                if stopping.is_set():
                    self._request.services.wait_lease.is_kept = True
                    raise
                await asyncio.sleep(CHECK_SECONDS)

    async def _decide(self, *, is_caller_gone: bool) -> WaitDecision:
        # A caller that has hung up got no answer: its repeated call may still wait for the end.
        return await self._request.services.store.caller_waits.end(
            self._principal.account.id,
            self.execution_id,
            self._principal.key_id,
            is_caller_gone=is_caller_gone,
            idempotency_key=None if is_caller_gone else self._idempotency_key,
            answer=ACCEPTED,
        )


class _Stop(Enum):
    STOP = "stop"
