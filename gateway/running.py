"""Running something, waited for or not: the same for all that can be run."""

import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from msgspec import UNSET
from starlette.responses import Response

from engine.acceptance import Acceptance, NewRun
from engine.acceptance import Runnable as Runnable
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
from engine.events import BEFORE_ALL, EventId
from engine.executions import TERMINAL, Ended, Execution, ExecutionStatus
from engine.metrics import EXECUTIONS_ACCEPTED
from engine.store import Principal, Repeated
from gateway import answers
from gateway.asks import Ask, read_ask
from gateway.endpoints import AHEAD
from gateway.json_bodies import beside_loop
from gateway.request_bodies import forget_body
from gateway.runs.types import AcceptedView, RunResult
from gateway.services import GatewayRequest, Services
from gateway.streams import Watch
from gateway.waiter import Waiter
from gateway.wire import json_response

T = TypeVar("T")

BROWSER_SOURCE = "app"
ACCEPTED = "accepted"
"""The answer on record that is a 202; any other is the milliseconds that the caller was told."""
UNPAID: dict[str, type[EngineError]] = {
    "INSUFFICIENT_CREDITS": CreditsRanOut,
    "MAX_CREDITS_EXCEEDED": MaxCreditsExceeded,
}
"""What a waiting caller is told, by the code of an execution that stopped for want of credits."""
NODE_CONTEXT = ("nodeId", "nodeType", "nodeCode", "reason", "retryable")


class Subject(Protocol):
    """What a caller wants to run."""

    source: str
    """What its executions have as their source when a key asks for them."""

    async def find(
        self, services: Services, principal: Principal, *, fresh: bool = False
    ) -> Runnable:
        """What to run; `fresh`: as it is on record, whatever this process knows.

        Raises EngineError when there is no such thing for the caller, or when it cannot run.
        """
        ...


async def run(request: GatewayRequest, principal: Principal, subject: Subject) -> Response:
    """Run the subject; answer with its result, or at once with where to find it."""
    began = time.perf_counter()
    ask = await read_ask(request, principal)
    try:
        return await _run(request, principal, subject, ask, began)
    except Repeated as first:
        return await _answer_again(request, principal, ask, first)


async def _run(
    request: GatewayRequest, principal: Principal, subject: Subject, ask: Ask, began: float
) -> Response:
    execution_id = str(uuid.uuid4())
    if not ask.wait_seconds:
        warnings = await _accept(request, principal, subject, ask, execution_id)
        return _accepted(execution_id, ask.webhook_url, warnings)
    if ask.streams:
        await _accept(request, principal, subject, ask, execution_id)
        return _watch(request, principal, ask, execution_id, BEFORE_ALL).answer()
    # The bell is heard from before the execution is accepted, so that no ring is missed.
    with request.state["services"].bell.expecting(execution_id) as ring:
        warnings = await _accept(request, principal, subject, ask, execution_id)
        waiter = Waiter(request, principal.account.id, execution_id)
        execution = await waiter.ended(ring, ask.wait_seconds)
    milliseconds = int((time.perf_counter() - began) * 1000)
    if ask.once is not None:
        first = Repeated(ask.once, execution_id, "")
        return await _answer_first(request, principal, first, execution, milliseconds, warnings)
    if execution is None:
        return _accepted(execution_id, warnings=warnings)
    return _ended(execution, milliseconds, warnings)


async def _accept(
    request: GatewayRequest, principal: Principal, subject: Subject, ask: Ask, execution_id: str
) -> tuple[str, ...]:
    """Have it accepted; gives the warnings that its caller is told."""
    try:
        services = request.state["services"]
        services.backlog.check()
        await services.turns.begin(principal.account.id)
        try:
            new = _new_run(request, principal, subject, ask, execution_id)
            warnings = await _accept_new(services, principal, subject, new, ask.body_bytes)
            ask.inputs.clear()  # a caller may wait for minutes: what was sent is on record
            forget_body(request)
            return warnings
        finally:
            services.turns.end(principal.account.id)
    except (Repeated, IdempotencyKeyReused, Unavailable):
        raise
    except EngineError:
        # Asked again, it is answered as the first time, whatever has changed since.
        executions = request.state["services"].store.executions
        if ask.once and (first := await executions.repeated(principal.account.id, ask.once)):
            raise first from None
        raise


async def _accept_new(
    services: Services, principal: Principal, subject: Subject, new: NewRun, body_bytes: int
) -> tuple[str, ...]:
    acceptance = Acceptance(
        store=services.store,
        library=services.library,
        allow_http=services.settings.allow_private_urls,
    )

    async def compute(work: Callable[[], T]) -> T:
        return await beside_loop(body_bytes, work)

    find = partial(subject.find, services, principal)
    warnings = await acceptance.accept(new, find, compute)
    EXECUTIONS_ACCEPTED.inc()
    return warnings


def _new_run(
    request: GatewayRequest, principal: Principal, subject: Subject, ask: Ask, execution_id: str
) -> NewRun:
    bell, ahead = request.state["services"].bell.channel, request.scope.get(AHEAD)
    return NewRun(
        account_id=principal.account.id,
        execution_id=execution_id,
        inputs=ask.inputs,
        terms=principal.terms,
        source=subject.source if principal.key else BROWSER_SOURCE,
        key_id=principal.key_id,
        bell=bell if ask.wait_seconds and not ask.streams else "",
        watcher=bell if ask.streams else None,
        max_credits=ask.max_credits,
        once=ask.once,
        answer="" if ask.wait_seconds else ACCEPTED,
        webhook_url=ask.webhook_url,
        pass_key=ahead.pass_key if ahead else "",
        depth=ask.depth,
    )


async def _answer_first(
    request: GatewayRequest,
    principal: Principal,
    first: Repeated,
    execution: Execution | Ended | None,
    milliseconds: int,
    warnings: Sequence[str],
) -> Response:
    """Note the answer for whoever asks again, then give what was noted first."""
    executions = request.state["services"].store.executions
    answer = ACCEPTED if execution is None else str(milliseconds)
    # A caller that has hung up was not answered: asking again, it may still wait for the end.
    if execution is not None or not await request.is_disconnected():
        with contextlib.suppress(Unavailable):
            answer = await executions.record_answer(principal.account.id, first.once, answer)
    if answer == ACCEPTED:
        return _accepted(first.execution_id, warnings=warnings)
    if execution is None:
        hold = request.state["services"].memory.for_answer(request.scope)
        execution = await executions.head(principal.account.id, first.execution_id, hold)
    return _ended(execution, int(answer), warnings)


async def _answer_again(
    request: GatewayRequest, principal: Principal, ask: Ask, first: Repeated
) -> Response:
    """What the first call with the key was answered, or would have been by now."""
    if ask.streams:
        after = ask.after or BEFORE_ALL
        watch = _watch(request, principal, ask, first.execution_id, after)
        reading = await watch.look()
        answers.note(request.scope, idempotent_replayed="true")
        return watch.answer(reading)
    executions = request.state["services"].store.executions
    answer = first.answer
    if answer != ACCEPTED:
        hold = request.state["services"].memory.for_answer(request.scope)
        execution = await executions.head(principal.account.id, first.execution_id, hold)
        if execution.status not in TERMINAL:
            raise IdempotencyKeyInUse(first.execution_id)
        if not answer:  # whoever was to answer has died
            answer = await executions.record_answer(
                principal.account.id, first.once, str(execution.duration_ms)
            )
    answers.note(request.scope, idempotent_replayed="true")
    if answer == ACCEPTED:
        url, warnings = await executions.acceptance(principal.account.id, first.execution_id)
        return _accepted(first.execution_id, url, warnings)
    return _ended(execution, int(answer), execution.warnings)


def _watch(
    request: GatewayRequest, principal: Principal, ask: Ask, execution_id: str, after: EventId
) -> Watch:
    account_id, seconds = principal.account.id, ask.wait_seconds
    return Watch(request, account_id, execution_id, after=after, seconds=seconds)


def _accepted(
    execution_id: str, webhook_url: str | None = None, warnings: Sequence[str] = ()
) -> Response:
    return json_response(AcceptedView.for_execution(execution_id, webhook_url, warnings), 202)


def _ended(execution: Execution | Ended, milliseconds: int, warnings: Sequence[str]) -> Response:
    return json_response(_result(execution, milliseconds, warnings))


def _result(execution: Execution | Ended, milliseconds: int, warnings: Sequence[str]) -> RunResult:
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


def _failure(execution: Execution | Ended) -> EngineError:
    error = execution.error or {}
    message = error.get("message", "The execution failed")
    if "nodeId" not in error:  # no node's fault, but ours
        return EngineError(message, executionId=execution.id)
    context = {name: error[name] for name in NODE_CONTEXT if name in error}
    kind = UNPAID.get(error.get("code", ""), ExecutionFailed)
    return kind(message, **context, executionId=execution.id)
