"""The run use case: accept an execution of a workflow or model, and wait for it if asked."""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import UNSET
from starlette.responses import Response

from engine.errors import (
    CreditsRanOut,
    EngineError,
    ExecutionCancelled,
    ExecutionFailed,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    MaxCreditsExceeded,
    Unavailable,
)
from engine.executions.events import BEFORE_ALL, EventId
from engine.executions.execution import TERMINAL, Execution, ExecutionEnd, ExecutionStatus
from engine.ids.executions import new_execution_id
from engine.metrics import EXECUTIONS_ACCEPTED
from engine.services.runs.acceptance import Acceptance, NewRun, Runnable
from engine.store import AlreadyRetried, IdempotentReplay, Principal
from gateway.admission.fairness import AccountTurn
from gateway.auth.endpoints import SPECULATIVE
from gateway.http import response_headers
from gateway.http.disconnects import has_disconnected
from gateway.http.json_bodies import run_off_loop
from gateway.http.request_bodies import forget_body
from gateway.http.responses import Answer, json_response
from gateway.runs.request import RunParameters, read_run_parameters
from gateway.runs.streams import ExecutionStream
from gateway.runs.types import AcceptedView, RunResult
from gateway.runs.waiter import Waiter
from gateway.services import GatewayRequest, Services

T = TypeVar("T")

BROWSER_SOURCE = "app"
ACCEPTED = "accepted"
"""Recorded answer for a 202; any other record is the milliseconds in the first answer."""
FAILURES: dict[str, type[EngineError]] = {
    "INSUFFICIENT_CREDITS": CreditsRanOut,
    "MAX_CREDITS_EXCEEDED": MaxCreditsExceeded,
    "EXECUTION_FAILED": ExecutionFailed,
}
"""Errors for a waiting caller, by the code of the execution's error; others are internal."""
NODE_CONTEXT = ("nodeId", "nodeType", "nodeCode", "reason", "retryable")


class RunTarget(Protocol):
    """A workflow or model that a caller wants to run."""

    @property
    def source(self) -> str:
        """Source of its executions when a key starts them."""
        ...

    @property
    def browser_source(self) -> str:
        """Source of its executions when a session starts them."""
        ...

    async def find(
        self, services: Services, principal: Principal, *, fresh: bool = False
    ) -> Runnable:
        """Return the plan to run; `fresh` reads it from the store past this process's cache.

        Raises EngineError when the caller has no such target, or when it cannot run.
        """
        ...


class EndedRun(NamedTuple):
    """A run that was waited for."""

    execution_id: str
    execution: Execution | ExecutionEnd | None
    """None: it goes on, and the wait is over."""
    milliseconds: int


async def run(
    request: GatewayRequest, principal: Principal, target: RunTarget, *, is_retry: bool = False
) -> Answer:
    """Run the target; answer with its result, with events, or at once with the execution's id."""
    began = time.perf_counter()
    parameters = await read_run_parameters(request, principal, is_retry=is_retry)
    try:
        return await _run(request, principal, target, parameters, began)
    except IdempotentReplay as replay:
        return await _replay_answer(request, principal, parameters, replay)
    except AlreadyRetried as retried:
        return await _answer_accepted(request, principal, retried.execution_id)


async def run_to_end(
    request: GatewayRequest, principal: Principal, target: RunTarget, inputs: dict[str, Any]
) -> EndedRun:
    """Run the target once, with neither an idempotency key nor a webhook, and wait for its end."""
    began = time.perf_counter()
    execution_id = new_execution_id()
    parameters = RunParameters(inputs=inputs, wait_seconds=request.services.settings.sync_timeout)
    waiting = await _begin(request, principal, target, parameters, execution_id, began)
    return EndedRun(execution_id, await waiting.wait(), _milliseconds_since(began))


async def _run(
    request: GatewayRequest,
    principal: Principal,
    target: RunTarget,
    parameters: RunParameters,
    began: float,
) -> Answer:
    execution_id = new_execution_id()
    if not parameters.wait_seconds:
        warnings = await _accept(request, principal, target, parameters, execution_id)
        return _accepted(execution_id, parameters.webhook_url, warnings)
    if parameters.streams:
        await _accept(request, principal, target, parameters, execution_id)
        return _stream(request, principal, parameters, execution_id, BEFORE_ALL).respond()
    return await _begin(request, principal, target, parameters, execution_id, began)


async def _begin(
    request: GatewayRequest,
    principal: Principal,
    target: RunTarget,
    parameters: RunParameters,
    execution_id: str,
    began: float,
) -> "WaitingRun":
    """Accept an execution whose end its caller waits for."""
    # The waiter is registered before the execution is accepted, so that its end is not missed.
    waiting = WaitingRun(request, principal.account.id, execution_id, parameters, began)
    try:
        waiting.warnings = await _accept(request, principal, target, parameters, execution_id)
    except BaseException:
        waiting.discard()
        raise
    return waiting


class WaitingRun:
    """An accepted run and the caller who waits for its end."""

    __slots__ = (
        *("_account_id", "_began", "_completion", "_idempotency_key", "_request", "_seconds"),
        "warnings",
    )

    def __init__(
        self,
        request: GatewayRequest,
        account_id: str,
        execution_id: str,
        parameters: RunParameters,
        began: float,
    ) -> None:
        self._request = request
        self._account_id = account_id
        self._completion = request.services.notifier.expect(execution_id)
        self._seconds = parameters.wait_seconds
        self._idempotency_key = parameters.idempotency_key
        self._began = began
        self.warnings: tuple[str, ...] = ()

    async def wait(self) -> Execution | ExecutionEnd | None:
        """Return the ended execution, or None if it goes on."""
        try:
            waiter = Waiter(self._request, self._account_id, self._completion)
            return await waiter.wait(self._seconds)
        finally:
            self.discard()

    async def finish(self) -> Response:
        """Return the answer after the end of the run, or that it goes on."""
        execution = await self.wait()
        milliseconds, execution_id = _milliseconds_since(self._began), self._completion.execution_id
        if self._idempotency_key is not None:
            replay = IdempotentReplay(self._idempotency_key, execution_id, "")
            return await _record_answer(
                self._request, self._account_id, replay, execution, milliseconds, self.warnings
            )
        if execution is None:
            return _accepted(execution_id, warnings=self.warnings)
        return _ended(execution, milliseconds, self.warnings)

    def discard(self) -> None:
        """Wait no longer; the run goes on."""
        self._request.services.notifier.leave(self._completion)


def _milliseconds_since(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)


async def _accept(
    request: GatewayRequest,
    principal: Principal,
    target: RunTarget,
    parameters: RunParameters,
    execution_id: str,
) -> tuple[str, ...]:
    """Accept the execution; return the warnings for its caller."""
    try:
        services = request.services
        services.backlog.check()
        async with services.fairness.turn(principal.account.id) as turn:
            new = _new_run(request, principal, target, parameters, execution_id, turn)
            warnings = await _accept_new(services, principal, target, new, parameters)
            parameters.inputs.clear()  # they are on record, and the caller may wait for minutes
            forget_body(request)
            return warnings
    except (IdempotentReplay, IdempotencyKeyReused, Unavailable):
        raise
    except EngineError:
        # A repeated call gets the first answer, whatever has changed since.
        executions = request.services.store.executions
        if parameters.idempotency_key and (
            first := await executions.find_replay(principal.account.id, parameters.idempotency_key)
        ):
            raise first from None
        raise


async def _accept_new(
    services: Services,
    principal: Principal,
    target: RunTarget,
    new: NewRun,
    parameters: RunParameters,
) -> tuple[str, ...]:
    acceptance = Acceptance(
        store=services.store,
        media_service=services.media_service,
        allow_http=services.settings.allow_private_urls,
    )

    async def compute(work: Callable[[], T]) -> T:
        return await run_off_loop(parameters.body_bytes, work)

    async def find(*, fresh: bool) -> Runnable:
        if not parameters.is_retry:
            return await target.find(services, principal, fresh=fresh)
        async with new.turn.yielded():  # values of the former run may be objects
            return await target.find(services, principal, fresh=fresh)

    warnings = await acceptance.accept(new, find, compute)
    EXECUTIONS_ACCEPTED.inc()
    return warnings


def _new_run(
    request: GatewayRequest,
    principal: Principal,
    target: RunTarget,
    parameters: RunParameters,
    execution_id: str,
    turn: AccountTurn,
) -> NewRun:
    notifier = request.services.notifier.channel
    return NewRun(
        account_id=principal.account.id,
        execution_id=execution_id,
        inputs=parameters.inputs,
        terms=principal.terms,
        source=target.source if principal.key else target.browser_source,
        key_id=principal.key_id,
        notifier=notifier if parameters.wait_seconds and not parameters.streams else "",
        watcher=notifier if parameters.streams else None,
        max_credits=parameters.max_credits,
        idempotency_key=parameters.idempotency_key,
        answer="" if parameters.wait_seconds else ACCEPTED,
        webhook_url=parameters.webhook_url,
        authorization=request.scope.get(SPECULATIVE),
        depth=parameters.depth,
        request_id=response_headers.request_id(request.scope),
        turn=turn,
    )


async def _record_answer(
    request: GatewayRequest,
    account_id: str,
    replay: IdempotentReplay,
    execution: Execution | ExecutionEnd | None,
    milliseconds: int,
    warnings: Sequence[str],
) -> Response:
    """Record the answer for repeated calls, then return the recorded one."""
    executions = request.services.store.executions
    answer = ACCEPTED if execution is None else str(milliseconds)
    # A caller that has hung up got no answer: its repeated call may still wait for the end.
    if execution is not None or not has_disconnected(request.receive):
        with contextlib.suppress(Unavailable):
            answer = await executions.record_answer(account_id, replay.idempotency_key, answer)
    if answer == ACCEPTED:
        return _accepted(replay.execution_id, warnings=warnings)
    if execution is None:
        reserve = request.services.result_memory.for_answer(request.scope)
        execution = await executions.head(account_id, replay.execution_id, reserve)
    return _ended(execution, int(answer), warnings)


async def _replay_answer(
    request: GatewayRequest,
    principal: Principal,
    parameters: RunParameters,
    replay: IdempotentReplay,
) -> Response:
    """Return the answer of the first call with the key, or the one that it would have by now."""
    if parameters.streams:
        # The run began before, so its bound on executions does not bound those who watch it.
        request.services.open_streams.take_place(request.scope, principal)
        after = parameters.after or BEFORE_ALL
        stream = _stream(request, principal, parameters, replay.execution_id, after)
        page = await stream.read()
        response_headers.note(request.scope, idempotent_replayed="true")
        return stream.respond(page)
    executions = request.services.store.executions
    answer = replay.answer
    if answer != ACCEPTED:
        reserve = request.services.result_memory.for_answer(request.scope)
        execution = await executions.head(principal.account.id, replay.execution_id, reserve)
        if execution.status not in TERMINAL:
            raise IdempotencyKeyInUse(replay.execution_id)
        if not answer:  # the process of the first call has died
            answer = await executions.record_answer(
                principal.account.id, replay.idempotency_key, str(execution.duration_ms)
            )
    response_headers.note(request.scope, idempotent_replayed="true")
    if answer == ACCEPTED:
        return await _answer_accepted(request, principal, replay.execution_id)
    return _ended(execution, int(answer), execution.warnings)


async def _answer_accepted(
    request: GatewayRequest, principal: Principal, execution_id: str
) -> Response:
    """Return the answer of an execution that was accepted by an earlier call."""
    executions = request.services.store.executions
    url, warnings = await executions.acceptance(principal.account.id, execution_id)
    return _accepted(execution_id, url, warnings)


def _stream(
    request: GatewayRequest,
    principal: Principal,
    parameters: RunParameters,
    execution_id: str,
    after: EventId,
) -> ExecutionStream:
    seconds = parameters.wait_seconds
    return ExecutionStream(request, principal, execution_id, after=after, seconds=seconds)


def _accepted(
    execution_id: str, webhook_url: str | None = None, warnings: Sequence[str] = ()
) -> Response:
    return json_response(AcceptedView.for_execution(execution_id, webhook_url, warnings), 202)


def _ended(
    execution: Execution | ExecutionEnd, milliseconds: int, warnings: Sequence[str]
) -> Response:
    return json_response(_result(execution, milliseconds, warnings))


def _result(
    execution: Execution | ExecutionEnd, milliseconds: int, warnings: Sequence[str]
) -> RunResult:
    if execution.status is ExecutionStatus.CANCELLED:
        raise ExecutionCancelled(execution.id)
    if execution.status is ExecutionStatus.FAILED:
        raise _failure(execution)
    return RunResult(
        success=True,
        result=execution.result,
        cost=execution.credits_cost,
        ms=milliseconds,
        execution_id=execution.id,
        warnings=warnings or UNSET,
    )


def _failure(execution: Execution | ExecutionEnd) -> EngineError:
    error = execution.error or {}
    message = error.get("message", "The execution failed")
    kind = FAILURES.get(error.get("code", ""))
    if kind is None:  # the engine failed, not a node
        return EngineError(message, executionId=execution.id)
    context = {name: error[name] for name in NODE_CONTEXT if name in error}
    return kind(message, **context, executionId=execution.id)
