"""A receiver of traces by OTLP over HTTP, which keeps the spans, and may be slow or refuse them."""

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.support.observability.spans import Span, parse_spans
from tests.support.observability.trace_page import page_of
from tests.support.observability.trace_store import TraceStore

PATH = "/v1/traces"
PAGES = "/traces/"
"""Beginning of the paths of pages of traces."""
TYPE = "application/x-protobuf"


@dataclass
class Collector(TraceStore):
    """Spans by trace, in the order of their arrival. Faults last until they are taken back."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    refused: int = 0
    """Number of refused requests."""
    bodies: list[bytes] = field(default_factory=list)
    """Bodies of all requests, decompressed; kept with `keeps_bodies`."""
    keeps_bodies: bool = False
    status: int = 200
    """Status of the answers; a failure refuses the spans."""
    delay_seconds: float = 0.0
    """Pause before each answer."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def trace_url(self) -> str:
        return f"{self.url}{PAGES}{{traceId}}"

    def trace(self, trace_id: str) -> list[Span]:
        with self.lock:
            found = [each for each in self.spans if each.trace_id == trace_id]
        return sorted(found, key=lambda each: each.began)

    def clear(self) -> None:
        """Forget all spans."""
        with self.lock:
            self.spans.clear()
            self.bodies.clear()
            self.refused = 0

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Take the body of a request; return the status of the answer."""
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        data = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        with self.lock:
            if self.status != 200:
                self.refused += 1
                return self.status
            if self.keeps_bodies:
                self.bodies.append(data)
            self.spans += parse_spans(data)
        return 200


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
