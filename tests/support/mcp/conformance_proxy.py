"""Proxy between the conformance suite and Headrace.

The suite sends no key, and calls tools whose names have underscores, which slugs do not have. The
proxy adds the key and translates the names of the fixtures, both ways; nothing else changes.
"""

import contextlib
import select
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

WATCH_SECONDS = 0.2
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding"}


class ConformanceProxy(ThreadingHTTPServer):
    """One proxy for one server."""

    daemon_threads = True

    def __init__(self, upstream: str, key: str, slugs: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.upstream, self.key = upstream, key
        self.names = {slug.replace("-", "_").encode(): slug.encode() for slug in slugs}

    @property
    def url(self) -> str:
        """Return the address for the suite, whose checks want this name of the host."""
        return f"http://localhost:{self.server_address[1]}"

    def translated(self, data: bytes, *, is_answer: bool) -> bytes:
        for ours, theirs in self.names.items():
            data = data.replace(theirs, ours) if is_answer else data.replace(ours, theirs)
        return data

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell nothing of ends of connections, which the suite makes on purpose."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    server: ConformanceProxy
    protocol_version = "HTTP/1.1"

    def _headers(self) -> dict[str, str]:
        """Return the headers of the request, with the key, and ours where the suite means us."""
        port = str(self.server.server_address[1])
        their_port = self.server.upstream.rpartition(":")[2]
        sent = {
            name: self.server.translated(value.encode(), is_answer=False).decode()
            for name, value in self.headers.items()
            if name.lower() not in HOP_BY_HOP
        }
        for name in ("Host", "host", "Origin", "origin"):
            if sent.get(name, "").endswith(f":{port}"):
                sent[name] = sent[name].removesuffix(port) + their_port
        return {**sent, "x-api-key": self.server.key}

    def _exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        sent = self.server.translated(body, is_answer=False)
        # httpx would refuse values that end with spaces, which the suite sends.
        connection = HTTPConnection(urlsplit(self.server.upstream).netloc, timeout=120)
        with contextlib.closing(connection):
            connection.request(self.command, self.path, sent, self._headers())
            with self._watching(connection.sock):
                self._pass_on(connection.getresponse())

    @contextmanager
    def _watching(self, upstream: socket.socket) -> Iterator[None]:
        """End the exchange with the server as soon as the client hangs up."""
        over = threading.Event()

        def watch() -> None:
            while not over.is_set():
                if not select.select([self.connection], [], [], WATCH_SECONDS)[0]:
                    continue
                with contextlib.suppress(OSError):  # it hangs up with a reset
                    if self.connection.recv(1, socket.MSG_PEEK):
                        return
                with contextlib.suppress(OSError):  # the exchange has just ended
                    upstream.shutdown(socket.SHUT_RDWR)
                return

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(10)

    def _pass_on(self, answer: HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for line in answer:
            self._send(self.server.translated(line, is_answer=True))
        self._send(b"")

    def _send(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = do_OPTIONS = _exchange

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def conformance_proxy(upstream: str, key: str, slugs: Sequence[str]) -> Iterator[ConformanceProxy]:
    """Run a proxy while the context lasts."""
    with ConformanceProxy(upstream, key, slugs) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join(10)
