"""Inbound webhooks as their owners manage them: another URL, and tests of events."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from msgspec import Meta, field
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidBody, InvalidTrigger
from engine.services.triggers.event_expressions import judge_event
from engine.store import Principal
from engine.store.accounts.rate_limits import EXPRESSION_TRIALS
from engine.triggers.trigger import TriggerKind
from gateway.auth.endpoints import checked_by_handler, operation, requires
from gateway.auth.resource import Resource
from gateway.hooks.events import default_event_id, sample_event
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import OBJECT, Nested, RequestBody, View, doc, refused
from gateway.routes.triggers.views import TriggerView
from gateway.services import GatewayRequest
from gateway.triggers.access import RUN, find_trigger

NO_URL = "A schedule has no URL; inbound webhooks have one"
NO_EVENTS = "A schedule takes no events; inbound webhooks do"
MAX_HEADERS = 100


@operation(answers={200: TriggerView}, errors=(errors.TriggerNotFound, InvalidTrigger))
@checked_by_handler
@requires(RUN, also="workflow:write")
async def rotate_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Give an inbound webhook another URL; the former one is unknown from now on."""
    trigger = await find_trigger(request, principal)
    if trigger.kind is not TriggerKind.WEBHOOK:
        raise InvalidTrigger("kind", NO_URL)
    rotated = await request.services.store.triggers.rotate(trigger, by=principal.account.id)
    return json_response(TriggerView.from_trigger(rotated, request.address))


class EventTestRequest(RequestBody, kw_only=True):
    """An event to test."""

    body: Annotated[Any, doc("The body as parsed: a JSON value, or a text.")]
    event_headers: Annotated[
        dict[str, str],
        Meta(max_length=MAX_HEADERS),
        doc("Headers by name; those that expressions cannot see are left out."),
        refused(f"must be an object of at most {MAX_HEADERS} texts"),
    ] = field(default_factory=dict, name="headers")

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """As `RequestBody.parse`; a body that is left out is refused, null is not."""
        if "body" not in body:
            raise InvalidBody("'body' must be the event to test", field="body")
        return super().parse(body)


class EventProblem(Nested):
    """Reason for which an event would start no run."""

    field: Annotated[str, doc("Setting of the trigger: `when`, `inputs.name`, `eventId`, …")]
    reason: str


class EventTestView(View, kw_only=True):
    """Outcome of a test."""

    would_run: Annotated[bool, doc("Whether the event would start a run.")]
    inputs: Annotated[OBJECT, doc("The inputs that the run would have, as far as they are known.")]
    problems: Sequence[EventProblem]


EventTestRequest.examples = (
    EventTestRequest(
        body={"action": "opened", "issue": {"user": {"login": "ada"}}},
        event_headers={"x-github-event": "issues"},
    ),
)
EventTestView.examples = (
    EventTestView(would_run=True, inputs={"name": "ada"}, problems=[]),
    EventTestView(
        would_run=False,
        inputs={},
        problems=[EventProblem("inputs.name", "no such key: 'issue'")],
    ),
)


@operation(
    body=EventTestRequest,
    answers={200: EventTestView},
    errors=(errors.TriggerNotFound, InvalidTrigger),
)
@checked_by_handler
@requires(RUN, also="workflow:write", bucket=EXPRESSION_TRIALS)
async def test_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Evaluate `when` and `inputs` of an inbound webhook over an event, and start nothing."""
    trigger = await find_trigger(request, principal)
    hook, account_id = trigger.settings.hook, principal.account.id
    if hook is None:
        raise InvalidTrigger("kind", NO_EVENTS)
    body = await read_body(request, EventTestRequest)
    event = sample_event(hook.verify, body.body, body.event_headers)
    raw_headers = [(name.encode(), value.encode()) for name, value in body.event_headers.items()]
    verdict = await judge_event(
        request.services.checker.expressions,
        account_id,
        hook,
        event.values(),
        default_event_id(hook.verify, raw_headers, body.body),
        is_thorough=True,
    )
    problems = [EventProblem(each.name, each.reason) for each in verdict.problems]
    if not problems:
        try:
            checks = request.services.trigger_saves.checks
            await checks.check_event(account_id, trigger.settings, verdict.inputs)
        except InvalidTrigger as error:
            problems.append(EventProblem(error.context["field"], error.message))
    would_run = verdict.is_wanted and not problems
    return json_response(
        EventTestView(would_run=would_run, inputs=verdict.inputs, problems=problems)
    )


routes = [
    Route("/api/triggers/{trigger_id}/rotate", Resource(POST=rotate_trigger)),
    Route("/api/triggers/{trigger_id}/test", Resource(POST=test_trigger)),
]
