"""Spans of requests: their trace, route, status and failures, and no path."""

from collections.abc import Iterator, Sequence

import httpx2
import pytest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from engine.errors import WorkflowNotFound
from engine.telemetry.traces.sampling import Sampling
from engine.telemetry.traces.span import Span, SpanKind
from engine.telemetry.traces.tracing import Tracing
from gateway.http.middleware import Errors, RequestIds
from gateway.http.router import LightRouter
from gateway.telemetry.request_spans import RequestSpans
from tests.support.gateway.fake_worker import keep_error
from tests.support.observability.traced import CALLER, TRACE_ID, take_spans, tracing_on


class Endpoint:
    def __init__(self, answer: Response | Exception) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(self._answer, Exception):
            raise self._answer
        await self._answer(scope, receive, send)


ROUTES = [
    Route("/hooks/{token}", Endpoint(Response("ok"))),
    Route("/healthz", Endpoint(Response("ok"))),
    Route("/bug", Endpoint(RuntimeError("secret detail"))),
    Route("/error", Endpoint(WorkflowNotFound())),
]


@pytest.fixture(params=[Sampling()])
def made(request: pytest.FixtureRequest) -> Iterator[Tracing]:
    with tracing_on(request.param) as using:
        yield using


async def ask(made: Tracing, path: str, traceparent: str = "") -> Sequence[Span]:
    """Return the spans of one request."""
    app = RequestSpans(RequestIds(Errors(LightRouter(ROUTES), keep_error)), made)
    headers = {"traceparent": traceparent} if traceparent else {}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        await client.get(path, headers=headers)
    return take_spans(made)


async def test_a_request_begins_a_trace_and_names_its_route_alone(made: Tracing) -> None:
    [span] = await ask(made, "/hooks/canary-token?key=canary-value")

    assert span.name == "GET /hooks/{token}"
    assert span.kind is SpanKind.SERVER
    assert span.parent_id == ""
    assert span.error_type == ""
    assert span.attributes["http.request.method"] == "GET"
    assert span.attributes["http.route"] == "/hooks/{token}"
    assert span.attributes["http.response.status_code"] == 200
    assert "canary" not in str(span)


async def test_a_request_of_a_trace_is_below_its_caller(made: Tracing) -> None:
    [span] = await ask(made, "/hooks/x", f"00-{TRACE_ID}-{CALLER}-01")

    assert (span.trace_id, span.parent_id) == (TRACE_ID, CALLER)


async def test_a_trace_that_its_caller_does_not_record_has_no_span(made: Tracing) -> None:
    assert await ask(made, "/hooks/x", f"00-{TRACE_ID}-{CALLER}-00") == []
    assert await ask(made, "/error", f"00-{TRACE_ID}-{CALLER}-00") == []


async def test_a_request_that_failed_has_a_span_always(made: Tracing) -> None:
    [span] = await ask(made, "/bug", f"00-{TRACE_ID}-{CALLER}-00")

    assert span.error_type == "500"
    assert "secret" not in str(span)


@pytest.mark.parametrize("made", [Sampling(0.0)], indirect=True)
async def test_a_rate_of_nothing_leaves_failures(made: Tracing) -> None:
    assert await ask(made, "/hooks/x") == []
    assert [span.name for span in await ask(made, "/bug")] == ["GET /bug"]


async def test_requests_of_supervisors_have_no_spans(made: Tracing) -> None:
    assert await ask(made, "/healthz") == []


async def test_a_request_of_no_route_has_a_span_without_its_path(made: Tracing) -> None:
    [span] = await ask(made, "/canary")

    assert span.name == "GET"
    assert span.attributes["http.route"] is None
