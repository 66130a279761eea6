"""Spans by gRPC, from a process to a real server of that protocol."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from engine.telemetry.traces.context import TraceContext, new_trace
from engine.telemetry.traces.span import make_span
from engine.telemetry.traces.tracing import open_tracing
from tests.support.observability.spans import Span, parse_spans

grpc = pytest.importorskip("grpc", reason="`make observe` installs it")

pytestmark = pytest.mark.slow

SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


class Receiver:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.metadata: dict[str, str] = {}

    def export(self, request: ExportTraceServiceRequest, context: Any) -> Any:
        self.metadata = {key: str(value) for key, value in context.invocation_metadata()}
        self.spans += parse_spans(request.SerializeToString())
        return ExportTraceServiceResponse()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    made, server = Receiver(), grpc.server(ThreadPoolExecutor(2))
    method = grpc.unary_unary_rpc_method_handler(
        made.export,
        request_deserializer=ExportTraceServiceRequest.FromString,
        response_serializer=ExportTraceServiceResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(SERVICE, {"Export": method})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ours")
    yield made
    server.stop(None).wait(10)


async def test_spans_arrive_by_grpc_with_the_headers_of_the_variables(receiver: Receiver) -> None:
    async with open_tracing("worker", "worker-1") as tracing:
        trace = new_trace()
        assert tracing is not None and trace is not None
        own = TraceContext(trace.trace_id, "b7ad6b7169203331", True)
        tracing.add("account", [make_span(own, "", "one", began_at=1, ended_at=2, attributes={})])

    [span] = receiver.spans
    assert (span.name, span.trace_id) == ("one", trace.trace_id)
    assert span.resource["service.name"] == "headrace"
    assert receiver.metadata["x-tenant"] == "ours"
