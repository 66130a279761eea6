"""Test runs: start, read and cancel them."""

from collections import Counter
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidBody, WorkflowTestRunNotFound
from engine.executions.batches import BatchKind, BatchStatus, ItemStatus, parse_item_status
from engine.ids.executions import item_execution_id, new_execution_id
from engine.ids.slugs import check_slug
from engine.releases.aliases import NAME
from engine.services.workflow_tests import listed_tests as listed
from engine.services.workflow_tests.finish import MOST_SECONDS, finish_test_run
from engine.services.workflow_tests.listed_tests import ListedOrder
from engine.services.workflow_tests.start_tests import WorkflowTestOrder, WorkflowTestStart
from engine.services.workflow_tests.verdicts import VerdictOnTest, Verdicts
from engine.store import Batch, NewBatch, Principal
from engine.store.batches.run_lists import NO_VERDICT
from engine.values.plain import moment
from gateway.auth.endpoints import before_approval, in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.json_bodies import decode_object
from gateway.http.rate_limit_headers import WORKFLOW_RUNS
from gateway.http.request_bodies import read_json
from gateway.http.responses import encode_json, json_response
from gateway.routes.workflow_tests.views import (
    JudgedRunView,
    StartedTestRunView,
    WorkflowTestCountsView,
    WorkflowTestResultView,
    WorkflowTestRunCancelRequested,
    WorkflowTestRunRequest,
    WorkflowTestRunView,
)
from gateway.runs.batch_answers import BATCH_ERRORS, answer_started
from gateway.runs.query import IDEMPOTENCY_KEY
from gateway.runs.request import read_depth, read_idempotency_key
from gateway.services import GatewayRequest

BEGUN = (ItemStatus.PROCESSING, ItemStatus.COMPLETED)


@operation(
    headers=(IDEMPOTENCY_KEY,),
    body=WorkflowTestRunRequest,
    answers={202: StartedTestRunView},
    errors=(
        *(*BATCH_ERRORS, errors.InvalidIdempotencyKey, errors.IdempotencyKeyReused),
        *(errors.WorkflowNotFound, errors.NotOwner, errors.DraftNotFound),
        *(errors.VersionNotFound, errors.WorkflowNotRunnable, errors.WorkflowTestNotFound),
    ),
)
@requires("workflow:write", also="workflow:run", named="slug", bucket=WORKFLOW_RUNS)
async def start_test_run(request: GatewayRequest, principal: Principal) -> Response:
    """Run tests of a workflow on its draft or on a version, and answer at once with the run's id.

    The call counts once as a run, and its tests in no window. They are charged like any run.
    """
    slug = check_slug(request.path_params["slug"])
    services, account_id = request.services, principal.account.id
    await services.store.workflows.check_own(account_id, slug)
    data = await read_json(request)
    body = WorkflowTestRunRequest.parse(await decode_object(data))
    order = WorkflowTestOrder(
        new=NewBatch(
            account_id=account_id,
            slug=slug,
            version=0,
            items=(),
            key_id=principal.key_id,
            batch_id=new_execution_id(),
            request_id=request.context.request_id,
            trace=request.context.trace_header,
            depth=read_depth(request),
            idempotency_key=read_idempotency_key(request, data, None),
        ),
        version=_checked_version(body.version),
        names=body.names,
        terms=principal.terms,
        make_answer=lambda run_id, count: encode_json(
            StartedTestRunView.of(run_id, count)
        ).decode(),
    )
    start = WorkflowTestStart(store=services.store, checker=services.checker)
    return answer_started(request, await start.start(order))


def _checked_version(version: int | str | None) -> int | str | None:
    """Return the version of a request. Raises InvalidBody or VersionNotFound."""
    if isinstance(version, str) and not NAME.fullmatch(version):
        message = "'version' must be a version's number, 'draft' or the name of an alias"
        raise InvalidBody(message, field="version")
    if isinstance(version, int) and version < 1:
        raise errors.VersionNotFound
    return version


@operation(answers={200: WorkflowTestRunView}, errors=(WorkflowTestRunNotFound,))
@in_turns
@requires("workflow:read")
async def get_test_run(request: GatewayRequest, principal: Principal) -> Response:
    """A test run, with the verdict on each test and the values that its expectations saw."""
    store, batch = request.services.store, await _find(request, principal)
    expressions = request.services.checker.expressions
    codes = await Verdicts(store, expressions).complete(batch, MOST_SECONDS)
    status = batch.status.shown
    if batch.status.is_over and NO_VERDICT in codes:
        status = BatchStatus.PROCESSING  # its verdicts are being computed
    elif batch.status.is_over:
        await finish_test_run(store, expressions, batch)
    ids = batch.account_id, batch.id
    names = (listed.NAMES, listed.JUDGED, listed.DRAFT_REVISION)
    facts = await store.lists.facts(*ids, *names)
    order = ListedOrder.of(facts)
    indexes = range(len(order.names))
    values = await store.lists.verdicts(*ids, indexes)
    rows = [_row(batch, index, order.names[index], values.get(index)) for index in indexes]
    counted = Counter(codes)
    revision = facts.get(listed.DRAFT_REVISION)
    view = WorkflowTestRunView(
        test_run_id=batch.id,
        workflow_slug=batch.slug,
        workflow_version=batch.version or None,
        draft_revision=None if revision is None else int(revision),
        status=status.value,
        counts=WorkflowTestCountsView(
            passed=counted[VerdictOnTest.PASSED.code],
            failed=counted[VerdictOnTest.FAILED.code],
            error=counted[VerdictOnTest.ERROR.code],
            pending=len(order.names) - sum(counted[each.code] for each in VerdictOnTest),
        ),
        credits_cost=batch.credits,
        created_at=moment(batch.created_at),
        completed_at=None if status is BatchStatus.PROCESSING else moment(batch.completed_at),
        rows=rows,
    )
    return json_response(view)


def _row(batch: Batch, index: int, name: str, verdict: Any) -> WorkflowTestResultView:
    status = parse_item_status(batch.states[index])
    found = verdict or {}
    has_begun = status in BEGUN or found.get("ms") is not None
    return WorkflowTestResultView(
        name=name,
        status=status,
        verdict=found.get("verdict"),
        execution_id=item_execution_id(batch.id, index) if has_begun else None,
        expectations=found.get("expectations", []),
        error=found.get("error"),
        judge=JudgedRunView(**found["judge"]) if found.get("judge") else None,
        credits_cost=found.get("credits_cost", 0),
        duration_ms=found.get("ms"),
    )


@operation(answers={202: WorkflowTestRunCancelRequested}, errors=(WorkflowTestRunNotFound,))
@before_approval  # it stops executions begun before the approval was withdrawn
@requires("workflow:write", also="workflow:run")
async def cancel_test_run(request: GatewayRequest, principal: Principal) -> Response:
    """Cancel a test run: its queued tests never begin, and its running ones are cancelled.

    A test run that is over stays as it is.
    """
    batch, batches = await _find(request, principal), request.services.store.batches
    ids = batch.account_id, batch.id
    status = batch.status if batch.status.is_over else await batches.cancel(*ids)
    return json_response(WorkflowTestRunCancelRequested(batch.id, status.shown.value), 202)


async def _find(request: GatewayRequest, principal: Principal) -> Batch:
    """Return the test run of the path. Raises WorkflowTestRunNotFound."""
    run_id = request.path_params["test_run_id"]
    lists = request.services.store.lists
    return await lists.get(principal.account.id, run_id, BatchKind.TESTS, WorkflowTestRunNotFound)


routes = [
    Route("/api/workflows/{slug}/tests/run", Resource(POST=start_test_run)),
    Route("/api/test-runs/{test_run_id}", Resource(GET=get_test_run)),
    Route("/api/test-runs/{test_run_id}/cancel", Resource(POST=cancel_test_run)),
]
