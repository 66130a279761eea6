"""Spans as OpenTelemetry's library has them, and its exporter by the standard variables."""

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from engine.telemetry.traces.environment import MODULES
from engine.telemetry.traces.span import Span

SERVICE = "headrace"
PART = "headrace.part"
UNSET, FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
KINDS = {kind.name: kind for kind in SpanKind}


class ProcessResource(Resource):
    """Description of a process, whose hash is computed once: the encoder asks per span for it."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        super().__init__(dict(attributes))
        self._known_hash = super().__hash__()

    def __hash__(self) -> int:
        """Return the hash of the attributes."""
        return self._known_hash

    def __eq__(self, other: object) -> bool:
        """Return whether the other one describes the same process."""
        return self is other or super().__eq__(other)


def make_resource(part: str, instance_id: str, version: str) -> ProcessResource:
    """Return the description of a process; the operator's variables override its attributes."""
    own = {
        "service.name": SERVICE,
        "service.version": version,
        "service.instance.id": instance_id,
        PART: part,
        "process.pid": os.getpid(),
    }
    return ProcessResource({**own, **OTELResourceDetector().detect().attributes})


def make_sender(
    protocol: str, part: str, instance_id: str, version: str
) -> tuple[Callable[[Sequence[Span]], bool], Callable[[], None]]:
    """Return a function that sends spans and returns whether they arrived, and one that stops it.

    Both may block, for as long as the standard variables allow.
    """
    exporter: SpanExporter = import_module(f"{MODULES[protocol]}.trace_exporter").OTLPSpanExporter()
    resource = make_resource(part, instance_id, version)
    scope = InstrumentationScope(SERVICE, version)

    def send(spans: Sequence[Span]) -> bool:
        made = [to_readable(span, resource, scope) for span in spans]
        return exporter.export(made) is SpanExportResult.SUCCESS

    return send, exporter.shutdown


def to_readable(span: Span, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    """Return the span in the library's own class."""
    trace_id = int(span.trace_id, 16)
    attributes = {name: value for name, value in span.attributes.items() if value is not None}
    if span.error_type:
        attributes["error.type"] = span.error_type
    return ReadableSpan(
        name=span.name,
        context=_context(trace_id, span.span_id),
        parent=_context(trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=attributes,
        kind=KINDS[span.kind.name],
        status=FAILED if span.error_type else UNSET,
        start_time=span.began_at,
        end_time=span.ended_at,
        instrumentation_scope=scope,
    )


def _context(trace_id: int, span_id: str) -> SpanContext:
    return SpanContext(trace_id, int(span_id, 16), is_remote=False, trace_flags=SAMPLED)
