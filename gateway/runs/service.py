"""The run use case: accept an execution of a target, and answer as its caller wants."""

from functools import partial

from starlette.responses import Response

from engine.ids.executions import new_execution_id
from engine.services.runs.targets import RunTarget
from engine.store import (
    Accepted,
    AlreadyRetried,
    AuthorizationRejected,
    IdempotentReplay,
    ItemRefused,
    NewRun,
    OccurrenceRefused,
    Principal,
    RunVerdict,
)
from engine.store.webhooks.owners import run_owner
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.telemetry.metrics import EXECUTIONS_ACCEPTED
from gateway.admission.fairness import AccountTurn
from gateway.auth.guard import RejectedAnswer
from gateway.http.json_bodies import run_off_loop
from gateway.http.request_bodies import forget_body
from gateway.runs.answers import (
    ACCEPTED,
    answer_accepted,
    answer_accepted_before,
    answer_with_events,
    find_first_answer,
)
from gateway.runs.request import RunParameters
from gateway.runs.waiter import PendingRunAnswer
from gateway.services import GatewayRequest


async def run(
    request: GatewayRequest, principal: Principal, target: RunTarget, parameters: RunParameters
) -> Response | PendingRunAnswer | RejectedAnswer:
    """Run the target; answer with its result, with events, or at once with the execution's id."""
    execution_id = new_execution_id()
    if not parameters.awaits_end:
        verdict = await _accept(request, principal, target, parameters, execution_id)
        return await _answer(request, principal, parameters, verdict)
    pending = PendingRunAnswer(request, principal, execution_id, parameters)
    try:
        verdict = await _accept(request, principal, target, parameters, execution_id)
    except BaseException:
        pending.discard()
        raise
    if isinstance(verdict, Accepted):
        pending.warnings = verdict.warnings
        return pending
    pending.discard()
    return await _answer(request, principal, parameters, verdict)


async def _accept(
    request: GatewayRequest,
    principal: Principal,
    target: RunTarget,
    parameters: RunParameters,
    execution_id: str,
) -> RunVerdict:
    services = request.services
    services.backlog.check()
    async with services.fairness.turn(principal.account.id) as turn:
        webhook = None
        if parameters.webhook is not None:
            account_id = principal.account.id
            webhook = await parameters.webhook.seal(request, account_id, run_owner(execution_id))
        new = _new_run(request, principal, target, parameters, execution_id, turn, webhook)
        runner = partial(run_off_loop, parameters.body_bytes)
        verdict = await services.acceptance.accept(new, target, parameters.inputs, runner)
        if isinstance(verdict, Accepted):
            EXECUTIONS_ACCEPTED.inc()
            request.context.execution_id = execution_id
            parameters.inputs.clear()  # they are on record, and the caller may wait for minutes
            forget_body(request)
        return verdict


def _new_run(
    request: GatewayRequest,
    principal: Principal,
    target: RunTarget,
    parameters: RunParameters,
    execution_id: str,
    turn: AccountTurn,
    webhook: RunWebhook | None,
) -> NewRun:
    channel = request.services.notifier.channel
    return NewRun(
        account_id=principal.account.id,
        execution_id=execution_id,
        terms=principal.terms,
        source=target.browser_source if principal.session else target.source,
        key_id=principal.key_id,
        notifier=channel if parameters.awaits_end else "",
        watcher=channel if parameters.streams else None,
        max_credits=parameters.max_credits,
        idempotency_key=parameters.idempotency_key,
        answer="" if parameters.wait_seconds else ACCEPTED,
        webhook=webhook,
        authorization=request.context.speculation,
        depth=parameters.depth,
        request_id=request.context.request_id,
        trace=request.context.trace_header,
        tags=parameters.tags,
        warnings=parameters.warnings,
        turn=turn,
    )


async def _answer(
    request: GatewayRequest, principal: Principal, parameters: RunParameters, verdict: RunVerdict
) -> Response | RejectedAnswer:
    """Return the answer of a run whose end is not waited for."""
    match verdict:
        case Accepted() if parameters.streams:
            return answer_with_events(request, principal, parameters, verdict.id)
        case Accepted():
            return answer_accepted(verdict.id, parameters.webhook_url, verdict.warnings)
        case AlreadyRetried():
            request.context.execution_id = verdict.execution_id
            return await answer_accepted_before(request, principal, verdict.execution_id)
        case IdempotentReplay():
            request.context.execution_id = verdict.execution_id
            return await find_first_answer(request, principal, parameters, verdict)
        case AuthorizationRejected():
            return RejectedAnswer()
        case ItemRefused():
            raise ValueError("a call begins no item of a batch")
        case OccurrenceRefused():
            raise ValueError("a call starts no occurrence of a trigger")
