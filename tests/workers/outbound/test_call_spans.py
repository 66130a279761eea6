"""Spans of outbound calls: host and status, and nothing of the URL that may be a secret."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from engine.telemetry.traces.span import SpanKind
from tests.support.http.raw_server import Stub
from tests.support.observability.traced import ATTEMPT, take_spans, traced_walk
from workers.outbound.client import Egress


async def test_a_call_of_a_walk_has_a_span_below_its_attempt(stub: Stub, egress: Egress) -> None:
    with traced_walk() as (made, _):
        call = HttpCall(method="POST", url=stub.url + "/canary-path?key=canary", body=b"canary")
        await egress.fetch(call)
        [span] = take_spans(made)

    assert span.name == "POST"
    assert span.kind is SpanKind.CLIENT
    assert span.parent_id == ATTEMPT.span_id
    assert span.attributes["server.address"] == "127.0.0.1"
    assert span.attributes["server.port"] == int(stub.url.rpartition(":")[2])
    assert span.attributes["http.response.status_code"] == 200
    assert span.error_type == ""
    assert "canary" not in str(span)


async def test_a_call_outside_of_a_trace_has_none(stub: Stub, egress: Egress) -> None:
    with traced_walk() as (made, _):
        pass
    await egress.fetch(HttpCall(method="GET", url=stub.url))

    assert take_spans(made) == []


async def test_statuses_of_failures_and_faults_are_errors(stub: Stub, egress: Egress) -> None:
    stub.reply = [b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"]
    with traced_walk() as (made, _):
        await egress.fetch(HttpCall(method="GET", url=stub.url))
        for url in ("http://127.0.0.1:1/", "ftp://user:canary@127.0.0.1/"):
            with pytest.raises(NodeFailed):
                await egress.fetch(HttpCall(method="GET", url=url))
        spans = take_spans(made)

    assert [span.error_type for span in spans] == ["503", "connection_failed", "url_blocked"]
    assert "canary" not in str(spans)
