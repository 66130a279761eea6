"""Spans in OpenTelemetry's own form, and the description of the process."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from engine.telemetry.traces.context import TraceContext
from engine.telemetry.traces.export.otlp import make_resource, make_sender, to_readable
from engine.telemetry.traces.span import SpanKind, make_span

CONTEXT = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True)
FAILED = make_span(
    CONTEXT,
    "00f067aa0ba902b7",
    "chat large",
    began_at=1_000,
    ended_at=5_000,
    attributes={"gen_ai.request.model": "large", "headrace.batch.id": None, "tokens": 3},
    kind=SpanKind.CLIENT,
    error_type="provider_unavailable",
)


def test_a_span_keeps_its_ids_times_attributes_and_failure() -> None:
    resource = make_resource("worker", "worker-1", "0.3.0")
    request = encode_spans([to_readable(FAILED, resource, InstrumentationScope("headrace"))])

    [described] = request.resource_spans
    [scope] = described.scope_spans
    [span] = scope.spans
    assert span.trace_id.hex() == CONTEXT.trace_id
    assert span.span_id.hex() == CONTEXT.span_id
    assert span.parent_span_id.hex() == "00f067aa0ba902b7"
    assert (span.name, span.start_time_unix_nano, span.end_time_unix_nano) == (
        *("chat large", 1_000),
        5_000,
    )
    assert span.kind == span.SPAN_KIND_CLIENT
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert {each.key for each in span.attributes} == {
        "gen_ai.request.model",
        "tokens",
        "error.type",
    }


def test_spans_of_one_process_are_one_resource() -> None:
    resource = make_resource("worker", "worker-1", "0.3.0")
    spans = [to_readable(FAILED, resource, InstrumentationScope("headrace"))] * 3

    assert len(encode_spans(spans).resource_spans) == 1
    assert resource == make_resource("worker", "worker-1", "0.3.0")
    assert resource != make_resource("gateway", "gateway-1", "0.3.0")


def test_the_operators_variables_describe_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_resource("worker", "worker-1", "0.3.0").attributes["service.name"] == "headrace"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod")

    attributes = make_resource("worker", "worker-1", "0.3.0").attributes

    assert attributes["service.name"] == "ours"
    assert attributes["deployment.environment.name"] == "prod"
    assert attributes["service.instance.id"] == "worker-1"
    assert attributes["service.version"] == "0.3.0"
    assert attributes["headrace.part"] == "worker"


def test_spans_for_an_absent_collector_do_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    send, stop = make_sender("http/protobuf", "worker", "worker-1", "0.3.0")

    assert send([FAILED]) is False
    stop()
