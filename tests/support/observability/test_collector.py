"""The receiver of traces reads what exporters send, and refuses it while it shall."""

import gzip

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from deploy.net.http_client import exchange
from tests.support.observability.collector import PATH, Collector, running_collector

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


def body() -> bytes:
    """Return a request with one failed span."""
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    name = of_resource.resource.attributes.add(key="service.name")
    name.value.string_value = "headrace"
    span = of_resource.scope_spans.add().spans.add(
        trace_id=bytes.fromhex(TRACE),
        span_id=bytes.fromhex(SPAN),
        parent_span_id=bytes.fromhex(PARENT),
        name="chat any",
        kind=trace_pb2.Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=1_000_000_000,
        end_time_unix_nano=3_000_000_000,
    )
    reasons = span.attributes.add(key="gen_ai.response.finish_reasons")
    reasons.value.array_value.values.add(string_value="stop")
    span.status.code = trace_pb2.Status.STATUS_CODE_ERROR
    span.status.message = "provider_error"
    return request.SerializeToString()


def send(collector: Collector, data: bytes, **headers: str) -> int:
    status, _ = exchange("POST", collector.url + PATH, data, headers, 5)
    return status


def test_spans_are_read() -> None:
    with running_collector() as collector:
        assert send(collector, body()) == 200
        assert send(collector, gzip.compress(body()), **{"content-encoding": "gzip"}) == 200
    span, again = collector.trace(TRACE)
    assert span == again
    assert (span.span_id, span.parent_id, span.name, span.kind) == (
        SPAN,
        PARENT,
        "chat any",
        "client",
    )
    assert (span.began, span.ended, span.is_error, span.message) == (1, 3, True, "provider_error")
    assert span.attributes == {"gen_ai.response.finish_reasons": ["stop"]}
    assert span.resource == {"service.name": "headrace"}


def test_spans_are_refused_while_the_collector_fails() -> None:
    with running_collector() as collector:
        collector.status = 503
        assert send(collector, body()) == 503
        collector.status = 200
        assert send(collector, body()) == 200
    assert (collector.refused, len(collector.spans)) == (1, 1)
