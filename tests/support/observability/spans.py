"""Spans as a collector has them, and as exporters send them by OTLP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span as it arrived. Times are seconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str
    """Empty for the first one of a trace."""
    name: str
    kind: str
    """`internal`, `server`, `client`, `producer` or `consumer`."""
    began: float
    ended: float
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    is_error: bool
    message: str
    """Description of the status."""


def parse_spans(data: bytes) -> list[Span]:
    """Return the spans of a request in protobuf."""
    request = ExportTraceServiceRequest.FromString(data)
    return [
        _read(span, _attributes(of_resource.resource.attributes))
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _read(span: trace_pb2.Span, resource: Mapping[str, Any]) -> Span:
    kind = trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        kind=kind,
        began=span.start_time_unix_nano / 1e9,
        ended=span.end_time_unix_nano / 1e9,
        attributes=_attributes(span.attributes),
        resource=resource,
        is_error=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
        message=span.status.message,
    )


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind)
