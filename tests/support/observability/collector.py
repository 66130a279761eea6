"""A receiver of traces by OTLP over HTTP, which keeps the spans, and may be slow or refuse them."""

import contextlib
import gzip
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.observability.spans import Span, parse_spans
from tests.support.observability.trace_page import page_of

PATH = "/v1/traces"
PAGES = "/traces/"
"""Beginning of the paths of pages of traces."""
TYPE = "application/x-protobuf"


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
            "HEADRACE_TRACE_URL": f"{self.url}{PAGES}{{traceId}}",
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

        def do_GET(self) -> None:
            trace_id = self.path.removeprefix(PAGES)
            answer = page_of(trace_id, collector.trace(trace_id)).encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
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
