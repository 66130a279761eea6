"""Answers of runs: accepted, ended, or given again to a repeated call."""

from collections.abc import Sequence

from msgspec import UNSET
from starlette.responses import Response

from engine.errors import (
    CreditsRanOut,
    EngineError,
    ExecutionCancelled,
    ExecutionFailed,
    IdempotencyKeyInUse,
    InvalidInputs,
    MaxCreditsExceeded,
)
from engine.errors.nodes import NO_WORKER_CAN_RUN
from engine.executions.events import BEFORE_ALL
from engine.executions.execution import Execution, ExecutionOutcome
from engine.executions.statuses import TERMINAL, ExecutionStatus
from engine.models.input_lengths import read_refusal
from engine.store import IdempotentReplay, Principal
from gateway.http import response_headers
from gateway.http.responses import json_response
from gateway.runs.request import RunParameters
from gateway.runs.streams import ExecutionStream
from gateway.runs.types import AcceptedView, RunResult
from gateway.services import GatewayRequest

ACCEPTED = "accepted"
"""Recorded answer for a 202; any other record is the milliseconds in the first answer."""
FAILURES: dict[str, type[EngineError]] = {
    "INSUFFICIENT_CREDITS": CreditsRanOut,
    "MAX_CREDITS_EXCEEDED": MaxCreditsExceeded,
    "EXECUTION_FAILED": ExecutionFailed,
    NO_WORKER_CAN_RUN: ExecutionFailed,
}
"""Errors for a waiting caller, by the code of the execution's error; others are internal."""
NODE_CONTEXT = ("nodeId", "nodeType", "nodeCode", "reason", "retryable")


def answer_accepted(
    execution_id: str, webhook_url: str | None = None, warnings: Sequence[str] = ()
) -> Response:
    """Return the answer of an execution that goes on."""
    return json_response(AcceptedView.for_execution(execution_id, webhook_url, warnings), 202)


async def answer_accepted_before(
    request: GatewayRequest, principal: Principal, execution_id: str
) -> Response:
    """Return the answer of an execution that was accepted by an earlier call."""
    executions = request.services.store.executions
    url, warnings = await executions.webhook_and_warnings(principal.account.id, execution_id)
    return answer_accepted(execution_id, url, warnings)


def answer_ended(
    execution: Execution | ExecutionOutcome,
    milliseconds: int,
    warnings: Sequence[str],
    *,
    is_of_model: bool = False,
) -> Response:
    """Return the answer of an execution that has ended. Raises the error of a failed one."""
    if execution.status is ExecutionStatus.CANCELLED:
        raise ExecutionCancelled(execution.id)
    if execution.status is ExecutionStatus.FAILED:
        raise _refused_input(execution) if is_of_model else _failure(execution)
    return json_response(
        RunResult(
            success=True,
            result=execution.result,
            cost=execution.credits_cost,
            ms=milliseconds,
            execution_id=execution.id,
            warnings=warnings or UNSET,
        )
    )


def _failure(execution: Execution | ExecutionOutcome) -> EngineError:
    error = execution.error or {}
    message = error.get("message", "The execution failed")
    kind = FAILURES.get(error.get("code", ""))
    if kind is None:  # the engine failed, not a node
        return EngineError(message, executionId=execution.id)
    context = {name: error[name] for name in NODE_CONTEXT if name in error}
    return kind(message, **context, executionId=execution.id)


def _refused_input(execution: Execution | ExecutionOutcome) -> EngineError:
    """Return the error of a run of a model: a length that a worker refuses is an invalid input."""
    refusal = read_refusal(str((execution.error or {}).get("reason", "")))
    if refusal is None:
        return _failure(execution)
    error = InvalidInputs(*refusal)
    error.context["executionId"] = execution.id
    return error


def answer_with_events(
    request: GatewayRequest, principal: Principal, parameters: RunParameters, execution_id: str
) -> Response:
    """Return the events of an execution that was just accepted."""
    seconds = parameters.wait_seconds
    stream = ExecutionStream(request, principal, execution_id, after=BEFORE_ALL, seconds=seconds)
    return stream.respond()


async def find_first_answer(
    request: GatewayRequest,
    principal: Principal,
    parameters: RunParameters,
    replay: IdempotentReplay,
) -> Response:
    """Return the answer of the first call with the key, or the one that it would have by now.

    Raises IdempotencyKeyInUse while the first call waits for its answer.
    """
    store, account_id, answer = request.services.store, principal.account.id, replay.answer
    if parameters.streams:
        stream = await _stream_again(request, principal, parameters, replay.execution_id)
        response_headers.add(request.scope, idempotent_replayed="true")
        return stream
    if answer != ACCEPTED:
        reserve = request.services.result_memory.for_answer(request.context)
        execution = await store.executions.head(account_id, replay.execution_id, reserve)
        if execution.status not in TERMINAL:
            raise IdempotencyKeyInUse(replay.execution_id)
        if not answer:  # the process of the first call has died
            duration, key = str(execution.duration_ms), replay.idempotency_key
            answer = await store.acceptance.record_answer(account_id, key, duration)
    response_headers.add(request.scope, idempotent_replayed="true")
    if answer == ACCEPTED:
        return await answer_accepted_before(request, principal, replay.execution_id)
    is_of_model = parameters.is_of_model
    return answer_ended(execution, int(answer), execution.warnings, is_of_model=is_of_model)


async def _stream_again(
    request: GatewayRequest, principal: Principal, parameters: RunParameters, execution_id: str
) -> Response:
    # The run began before, so its bound on executions does not bound those who watch it.
    request.services.open_streams.take_place(request.context, principal)
    seconds, after = parameters.wait_seconds, parameters.after or BEFORE_ALL
    stream = ExecutionStream(request, principal, execution_id, after=after, seconds=seconds)
    return stream.respond(await stream.read())
