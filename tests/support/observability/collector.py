"""A receiver of traces by OTLP over HTTP, which keeps the spans, and may be slow or refuse them."""

import contextlib
import gzip
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.support.eventually import PATIENCE_SECONDS

PATH = "/v1/traces"
TYPE = "application/x-protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a span, such as an exception."""

    name: str
    attributes: Mapping[str, Any]


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
    events: Sequence[Event] = ()
    links: Sequence[str] = ()
    """Ids of the spans that it links to."""


@dataclass
class Collector:
    """Spans by trace, in the order of their arrival. Faults last until they are taken back."""

    url: str = ""
    """Value of `OTEL_EXPORTER_OTLP_ENDPOINT`."""
    spans: list[Span] = field(default_factory=list)
    batches: int = 0
    """Number of accepted requests."""
    bytes: int = 0
    """Bytes of their bodies as sent."""
    refused: int = 0
    bodies: list[bytes] = field(default_factory=list)
    """Bodies of all requests, decompressed; kept with `keeps_bodies`."""
    headers: list[Mapping[str, str]] = field(default_factory=list)
    """Headers of the last requests."""
    keeps_bodies: bool = False
    keeps_spans: bool = True
    """False: spans are only counted, for long loads."""
    count: int = 0
    """Number of spans that arrived."""
    status: int = 200
    """Status of the answers; a failure refuses the spans."""
    delay_seconds: float = 0.0
    """Pause before each answer."""
    forwards_to: str = ""
    """URL of another collector that gets each request as well."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environ(self) -> dict[str, str]:
        """Return the variables of processes that send their spans here soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace, the first to begin first."""
        with self.lock:
            found = [each for each in self.spans if each.trace_id == trace_id]
        return sorted(found, key=lambda each: each.began)

    def await_trace(
        self,
        trace_id: str,
        holds: Callable[[list[Span]], object] = bool,
        *,
        timeout: float = PATIENCE_SECONDS,
    ) -> list[Span]:
        """Wait until the spans of a trace are as expected; return them."""
        deadline = time.monotonic() + timeout
        while not holds(found := self.trace(trace_id)):
            names = [each.name for each in found]
            assert time.monotonic() < deadline, f"trace {trace_id} has only {names}"
            time.sleep(0.05)
        return found

    def clear(self) -> None:
        """Forget all spans."""
        with self.lock:
            self.spans.clear()
            self.bodies.clear()
            self.count = self.batches = self.bytes = self.refused = 0

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Take the body of a request; return the status of the answer."""
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        data = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        with self.lock:
            if self.status != 200:
                self.refused += 1
                return self.status
            self.batches += 1
            self.bytes += len(body)
            self.headers = [*self.headers[-99:], headers]
            if self.keeps_bodies:
                self.bodies.append(data)
            found = parse_spans(data)
            self.count += len(found)
            if self.keeps_spans:
                self.spans += found
        if self.forwards_to:
            _forward(self.forwards_to, data)
        return 200


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
        events=tuple(
            Event(name=each.name, attributes=_attributes(each.attributes)) for each in span.events
        ),
        links=tuple(each.span_id.hex() for each in span.links),
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


def _forward(url: str, data: bytes) -> None:
    request = urllib.request.Request(url, data, {"content-type": TYPE}, method="POST")
    with urllib.request.urlopen(request, timeout=10):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: killed processes disconnect."""


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = collector.take(body, headers) if self.path == PATH else 404
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(status)
            self.send_header("content-type", TYPE)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


@contextlib.contextmanager
def running_collector() -> Iterator[Collector]:
    """Run a collector on loopback while the context lasts."""
    collector = Collector()
    server = _Server(("127.0.0.1", 0), _handler(collector))
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
