"""The run use case: accept an execution of a workflow or model, and wait for it if asked."""

import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

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
from engine.metrics import EXECUTIONS_ACCEPTED
from engine.services.acceptance import Acceptance, NewRun
from engine.services.acceptance import Runnable as Runnable
from engine.store import IdempotentReplay, Principal
from gateway.auth.endpoints import AHEAD
from gateway.http import response_headers
from gateway.http.json_bodies import beside_loop
from gateway.http.request_bodies import forget_body
from gateway.http.responses import json_response
from gateway.runs.request import RunParameters, read_run_parameters
from gateway.runs.streams import ExecutionStream
from gateway.runs.types import AcceptedView, RunResult
from gateway.runs.waiter import Waiter
from gateway.services import GatewayRequest, Services

T = TypeVar("T")

BROWSER_SOURCE = "app"
ACCEPTED = "accepted"
"""Recorded answer for a 202; any other record is the milliseconds in the first answer."""
UNPAID: dict[str, type[EngineError]] = {
    "INSUFFICIENT_CREDITS": CreditsRanOut,
    "MAX_CREDITS_EXCEEDED": MaxCreditsExceeded,
}
"""Errors for a waiting caller, by the code of an execution that stopped for want of credits."""
NODE_CONTEXT = ("nodeId", "nodeType", "nodeCode", "reason", "retryable")


class RunTarget(Protocol):
    """A workflow or model that a caller wants to run."""

    source: str
    """Source of its executions when a key starts them."""

    async def find(
        self, services: Services, principal: Principal, *, fresh: bool = False
    ) -> Runnable:
        """Return the plan to run; `fresh` reads it from the store past this process's cache.

        Raises EngineError when the caller has no such target, or when it cannot run.
        """
        ...


async def run(request: GatewayRequest, principal: Principal, run_target: RunTarget) -> Response:
    """Run the target; answer with its result, with events, or at once with the execution's id."""
    began = time.perf_counter()
    ask = await read_run_parameters(request, principal)
    try:
        return await _run(request, principal, run_target, ask, began)
    except IdempotentReplay as first:
        return await _answer_again(request, principal, ask, first)


async def _run(
    request: GatewayRequest,
    principal: Principal,
    run_target: RunTarget,
    ask: RunParameters,
    began: float,
) -> Response:
    execution_id = str(uuid.uuid4())
    if not ask.wait_seconds:
        warnings = await _accept(request, principal, run_target, ask, execution_id)
        return _accepted(execution_id, ask.webhook_url, warnings)
    if ask.streams:
        await _accept(request, principal, run_target, ask, execution_id)
        return _watch(request, principal, ask, execution_id, BEFORE_ALL).answer()
    # The waiter is registered before the execution is accepted, so that its end is not missed.
    with request.state["services"].notifier.expecting(execution_id) as completion:
        warnings = await _accept(request, principal, run_target, ask, execution_id)
        waiter = Waiter(request, principal.account.id, execution_id)
        execution = await waiter.ended(completion, ask.wait_seconds)
    milliseconds = int((time.perf_counter() - began) * 1000)
    if ask.idempotency_key is not None:
        first = IdempotentReplay(ask.idempotency_key, execution_id, "")
        return await _answer_first(request, principal, first, execution, milliseconds, warnings)
    if execution is None:
        return _accepted(execution_id, warnings=warnings)
    return _ended(execution, milliseconds, warnings)


async def _accept(
    request: GatewayRequest,
    principal: Principal,
    run_target: RunTarget,
    ask: RunParameters,
    execution_id: str,
) -> tuple[str, ...]:
    """Accept the execution; return the warnings for its caller."""
    try:
        services = request.state["services"]
        services.backlog.check()
        await services.turns.begin(principal.account.id)
        try:
            new = _new_run(request, principal, run_target, ask, execution_id)
            warnings = await _accept_new(services, principal, run_target, new, ask.body_bytes)
            ask.inputs.clear()  # the inputs are on record, and the caller may wait for minutes
            forget_body(request)
            return warnings
        finally:
            services.turns.end(principal.account.id)
    except (IdempotentReplay, IdempotencyKeyReused, Unavailable):
        raise
    except EngineError:
        # A repeated call gets the first answer, whatever has changed since.
        executions = request.state["services"].store.executions
        if ask.idempotency_key and (
            first := await executions.repeated(principal.account.id, ask.idempotency_key)
        ):
            raise first from None
        raise


async def _accept_new(
    services: Services, principal: Principal, run_target: RunTarget, new: NewRun, body_bytes: int
) -> tuple[str, ...]:
    acceptance = Acceptance(
        store=services.store,
        media_service=services.media_service,
        allow_http=services.settings.allow_private_urls,
    )

    async def compute(work: Callable[[], T]) -> T:
        return await beside_loop(body_bytes, work)

    find = partial(run_target.find, services, principal)
    warnings = await acceptance.accept(new, find, compute)
    EXECUTIONS_ACCEPTED.inc()
    return warnings


def _new_run(
    request: GatewayRequest,
    principal: Principal,
    run_target: RunTarget,
    ask: RunParameters,
    execution_id: str,
) -> NewRun:
    notifier, speculative = request.state["services"].notifier.channel, request.scope.get(AHEAD)
    return NewRun(
        account_id=principal.account.id,
        execution_id=execution_id,
        inputs=ask.inputs,
        terms=principal.terms,
        source=run_target.source if principal.key else BROWSER_SOURCE,
        key_id=principal.key_id,
        notifier=notifier if ask.wait_seconds and not ask.streams else "",
        watcher=notifier if ask.streams else None,
        max_credits=ask.max_credits,
        idempotency_key=ask.idempotency_key,
        answer="" if ask.wait_seconds else ACCEPTED,
        webhook_url=ask.webhook_url,
        pass_key=speculative.pass_key if speculative else "",
        depth=ask.depth,
    )


async def _answer_first(
    request: GatewayRequest,
    principal: Principal,
    first: IdempotentReplay,
    execution: Execution | ExecutionEnd | None,
    milliseconds: int,
    warnings: Sequence[str],
) -> Response:
    """Record the answer for repeated calls, then return the recorded one."""
    executions = request.state["services"].store.executions
    answer = ACCEPTED if execution is None else str(milliseconds)
    # A caller that has hung up got no answer: its repeated call may still wait for the end.
    if execution is not None or not await request.is_disconnected():
        with contextlib.suppress(Unavailable):
            answer = await executions.record_answer(
                principal.account.id, first.idempotency_key, answer
            )
    if answer == ACCEPTED:
        return _accepted(first.execution_id, warnings=warnings)
    if execution is None:
        hold = request.state["services"].memory.for_answer(request.scope)
        execution = await executions.head(principal.account.id, first.execution_id, hold)
    return _ended(execution, int(answer), warnings)


async def _answer_again(
    request: GatewayRequest, principal: Principal, ask: RunParameters, first: IdempotentReplay
) -> Response:
    """Return the answer of the first call with the key, or the one that it would have by now."""
    if ask.streams:
        after = ask.after or BEFORE_ALL
        watch = _watch(request, principal, ask, first.execution_id, after)
        reading = await watch.look()
        response_headers.note(request.scope, idempotent_replayed="true")
        return watch.answer(reading)
    executions = request.state["services"].store.executions
    answer = first.answer
    if answer != ACCEPTED:
        hold = request.state["services"].memory.for_answer(request.scope)
        execution = await executions.head(principal.account.id, first.execution_id, hold)
        if execution.status not in TERMINAL:
            raise IdempotencyKeyInUse(first.execution_id)
        if not answer:  # the process of the first call has died
            answer = await executions.record_answer(
                principal.account.id, first.idempotency_key, str(execution.duration_ms)
            )
    response_headers.note(request.scope, idempotent_replayed="true")
    if answer == ACCEPTED:
        url, warnings = await executions.acceptance(principal.account.id, first.execution_id)
        return _accepted(first.execution_id, url, warnings)
    return _ended(execution, int(answer), execution.warnings)


def _watch(
    request: GatewayRequest,
    principal: Principal,
    ask: RunParameters,
    execution_id: str,
    after: EventId,
) -> ExecutionStream:
    account_id, seconds = principal.account.id, ask.wait_seconds
    return ExecutionStream(request, account_id, execution_id, after=after, seconds=seconds)


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
    if "nodeId" not in error:  # the engine failed, not a node
        return EngineError(message, executionId=execution.id)
    context = {name: error[name] for name in NODE_CONTEXT if name in error}
    kind = UNPAID.get(error.get("code", ""), ExecutionFailed)
    return kind(message, **context, executionId=execution.id)
