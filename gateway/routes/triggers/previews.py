"""Previews of the due times of schedules."""

from typing import Annotated

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidTrigger
from engine.store import Principal
from engine.triggers.cron import parse_cron
from engine.values.plain import moment
from gateway.auth.endpoints import any_key, before_approval, in_turns, operation
from gateway.auth.resource import Resource
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import Moment, View, doc, refused
from gateway.services import GatewayRequest
from gateway.triggers.trigger_body import TriggerBody

MAX_COUNT = 100
DEFAULT_COUNT = 5


class PreviewRequest(TriggerBody, kw_only=True):
    """A cron expression and its time zone."""

    cron: Annotated[
        str,
        doc("Five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.", "0 9 * * 1"),
        refused("must be a text: a cron expression"),
    ]
    timezone: Annotated[
        str,
        doc("IANA name of the time zone.", "Europe/Berlin"),
        refused("must be the IANA name of a time zone, such as Europe/Berlin"),
    ] = "UTC"
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT), doc("Number of due times.")] = DEFAULT_COUNT


class PreviewView(View):
    """Next due times of a cron expression."""

    at: Annotated[list[Moment], doc("Fewer than `count` where no more come within fifty years.")]


PreviewRequest.examples = (PreviewRequest(cron="0 9 * * 1", timezone="Europe/Berlin", count=2),)
PreviewView.examples = (PreviewView(["2026-03-02T08:00:00.000Z", "2026-03-09T08:00:00.000Z"]),)


@operation(body=PreviewRequest, answers={200: PreviewView}, errors=(InvalidTrigger,))
@before_approval  # it writes nothing
@in_turns
@any_key
async def preview_schedule(request: GatewayRequest, principal: Principal) -> Response:
    """The next due times of a cron expression, without a trigger."""
    body = await read_body(request, PreviewRequest)
    times = parse_cron(body.cron, body.timezone)
    now_ms = await request.services.store.leases.now()
    return json_response(PreviewView([moment(each) for each in times.after(now_ms, body.count)]))


routes = [Route("/api/triggers/preview", Resource(POST=preview_schedule))]
