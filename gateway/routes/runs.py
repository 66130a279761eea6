"""Runs: one execution of a workflow, waited for or not."""

import contextlib
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import (
    EngineError,
    ExecutionCancelled,
    ExecutionFailed,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InvalidBody,
    InvalidIdempotencyKey,
    InvalidInputs,
    Unavailable,
    WorkflowNotFound,
    WorkflowNotRunnable,
)
from engine.executions import TERMINAL, Execution, ExecutionStatus
from engine.fields import check_inputs
from engine.graph import Plan
from engine.idempotency import Once, make_once
from engine.metrics import EXECUTIONS_ACCEPTED
from engine.settings import Settings
from engine.slugs import check_slug
from engine.store import Principal, Repeated, StaleWorkflow, Workflow
from engine.webhooks import CAPABILITY
from gateway import answers
from gateway.auth import may
from gateway.endpoints import AHEAD, Resource, requires
from gateway.limits import WORKFLOW_RUNS
from gateway.query import Query, parse_seconds
from gateway.services import GatewayRequest, Services
from gateway.waiter import Waiter
from gateway.wire import accepted_shape, json_response, parse_object, read_json

SOURCE = "api-workflow"
BROWSER_SOURCE = "app"
ACCEPTED = "accepted"
"""The answer on record that is a 202; any other is the milliseconds that the caller was told."""
WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*([^,;\s]+)", re.IGNORECASE)
MAX_STALE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a caller asked for."""

    slug: str
    inputs: dict[str, Any]
    wait_seconds: float
    once: Once | None
    webhook_url: str | None
    """Where the end will be told; None for nowhere."""


@requires("workflow:run", named="slug", bucket=WORKFLOW_RUNS)
async def run_workflow(request: GatewayRequest, principal: Principal) -> Response:
    """Run a workflow and answer with its result, or at once with where to find it."""
    began = time.perf_counter()
    ask = await _read_ask(request, principal)
    try:
        return await _run(request, principal, ask, began)
    except Repeated as first:
        return await _answer_again(request, principal, first)


async def _run(request: GatewayRequest, principal: Principal, ask: Ask, began: float) -> Response:
    execution_id = str(uuid.uuid4())
    if not ask.wait_seconds:
        await _accept(request, principal, ask, execution_id)
        return _accepted(execution_id, ask.webhook_url)
    # The bell is heard from before the execution is accepted, so that no ring is missed.
    with request.state["services"].bell.expecting(execution_id) as ring:
        await _accept(request, principal, ask, execution_id)
        waiter = Waiter(request, principal.account.id, execution_id)
        execution = await waiter.ended(ring, ask.wait_seconds)
    milliseconds = int((time.perf_counter() - began) * 1000)
    if ask.once is not None:
        first = Repeated(ask.once, execution_id, "")
        return await _answer_first(request, principal, first, execution, milliseconds)
    return _accepted(execution_id) if execution is None else _ended(execution, milliseconds)


def _accepted(execution_id: str, webhook_url: str | None = None) -> Response:
    return json_response(accepted_shape(execution_id, webhook_url), 202)


def _ended(execution: Execution, milliseconds: int) -> Response:
    return json_response(_outcome(execution, milliseconds))


async def _answer_first(
    request: GatewayRequest,
    principal: Principal,
    first: Repeated,
    execution: Execution | None,
    milliseconds: int,
) -> Response:
    """Note the answer for whoever asks again, then give what was noted first."""
    executions = request.state["services"].store.executions
    answer = ACCEPTED if execution is None else str(milliseconds)
    # A caller that has hung up was not answered: asking again, it may still wait for the end.
    if execution is not None or not await request.is_disconnected():
        with contextlib.suppress(Unavailable):
            answer = await executions.record_answer(principal.account.id, first.once, answer)
    if answer == ACCEPTED:
        return _accepted(first.execution_id)
    execution = execution or await executions.head(principal.account.id, first.execution_id)
    return _ended(execution, int(answer))


async def _answer_again(request: GatewayRequest, principal: Principal, first: Repeated) -> Response:
    """What the first call with the key was answered, or would have been by now."""
    executions = request.state["services"].store.executions
    answer = first.answer
    if answer != ACCEPTED:
        execution = await executions.head(principal.account.id, first.execution_id)
        if execution.status not in TERMINAL:
            raise IdempotencyKeyInUse(first.execution_id)
        if not answer:  # whoever was to answer has died
            answer = await executions.record_answer(
                principal.account.id, first.once, str(execution.duration_ms)
            )
    answers.note(request.scope, idempotent_replayed="true")
    if answer == ACCEPTED:
        url = await executions.webhook_url(principal.account.id, first.execution_id)
        return _accepted(first.execution_id, url)
    return _ended(execution, int(answer))


async def _read_ask(request: GatewayRequest, principal: Principal) -> Ask:
    query = Query(request.scope)
    is_async, timeout = query.flag("async"), query.seconds("timeout")
    slug = check_slug(request.path_params["slug"])
    data = await read_json(request.scope, request.receive)
    once = _once(request, data)
    inputs = parse_object(data).get("inputs")
    if not isinstance(inputs, dict):
        raise InvalidBody("'inputs' must be an object", field="inputs")
    limits = [request.state["services"].settings.sync_timeout, timeout, _preferred_wait(request)]
    wait = min(limit for limit in limits if limit is not None)
    url = await _webhook_url(request, principal) if is_async else None
    wait = 0 if is_async else wait
    return Ask(slug=slug, inputs=inputs, wait_seconds=wait, once=once, webhook_url=url)


async def _webhook_url(request: GatewayRequest, principal: Principal) -> str | None:
    if principal.key is None or not may(principal, CAPABILITY):
        return None
    webhooks = request.state["services"].store.webhooks
    return await webhooks.url_in_force(principal.account.id, principal.key.id)


def _once(request: GatewayRequest, data: bytes) -> Once | None:
    keys = [value for name, value in request.scope["headers"] if name == b"idempotency-key"]
    if not keys:
        return None
    if len(keys) > 1:
        raise InvalidIdempotencyKey
    return make_once(request.method, request.scope["path"], keys[0].decode("latin-1"), data)


def _preferred_wait(request: GatewayRequest) -> float | None:
    prefer = request.headers.get("prefer")
    match = WAIT.search(prefer) if prefer else None
    return parse_seconds(match.group(1)) if match else None  # a preference may be ignored


async def _accept(
    request: GatewayRequest, principal: Principal, ask: Ask, execution_id: str
) -> None:
    try:
        services = request.state["services"]
        services.backlog.check()
        await services.turns.begin(principal.account.id)
        try:
            ahead = request.scope.get(AHEAD)
            pass_key = ahead.pass_key if ahead else ""
            await _accept_fresh(services, principal, ask, execution_id, pass_key)
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


async def _accept_fresh(
    services: Services, principal: Principal, ask: Ask, execution_id: str, pass_key: str
) -> None:
    for turn in range(MAX_STALE):
        workflow, plan = await services.store.workflows.own_plan(
            principal.account.id, ask.slug, fresh=turn > 0
        )
        try:
            plan = _runnable(workflow, plan, principal)
            await services.store.executions.accept(
                account_id=principal.account.id,
                workflow=workflow,
                plan=plan,
                inputs=_checked_inputs(plan, ask, services.settings),
                source=SOURCE if principal.key else BROWSER_SOURCE,
                key_id=principal.key_id,
                bell=services.bell.channel if ask.wait_seconds else "",
                execution_id=execution_id,
                terms=principal.terms,
                once=ask.once,
                answer="" if ask.wait_seconds else ACCEPTED,
                webhook_url=ask.webhook_url,
                pass_key=pass_key,
            )
        except StaleWorkflow:
            continue
        except (InvalidInputs, WorkflowNotRunnable):
            if turn == 0:
                continue  # it may have been saved elsewhere since this process read it
            raise
        EXECUTIONS_ACCEPTED.inc()
        return
    raise Unavailable("The workflow is being saved faster than it can be run")


def _checked_inputs(plan: Plan, ask: Ask, settings: Settings) -> dict[str, Any]:
    return check_inputs(
        plan.fields, ask.inputs, strict=plan.strict_inputs, allow_http=settings.allow_private_urls
    )


def _runnable(workflow: Workflow, plan: Plan | None, principal: Principal) -> Plan:
    if workflow.account_id != principal.account.id:
        raise WorkflowNotFound
    if plan is None:
        raise WorkflowNotRunnable(workflow.problems)
    return plan


def _outcome(execution: Execution, milliseconds: int) -> dict[str, Any]:
    if execution.status is ExecutionStatus.CANCELLED:
        raise ExecutionCancelled(execution.id)
    if execution.status is ExecutionStatus.FAILED:
        raise _failure(execution)
    return {
        "success": True,
        "result": execution.result,
        "cost": execution.credits_cost,
        "ms": milliseconds,
        "executionId": execution.id,
    }


def _failure(execution: Execution) -> EngineError:
    error = execution.error or {}
    message = error.get("message", "The execution failed")
    if "nodeId" not in error:  # no node's fault, but ours
        return EngineError(message, executionId=execution.id)
    context = {name: error[name] for name in ("nodeId", "nodeType", "reason") if name in error}
    return ExecutionFailed(message, **context, executionId=execution.id)


routes = [Route("/api/workflows/{slug}/run", Resource(POST=run_workflow))]
