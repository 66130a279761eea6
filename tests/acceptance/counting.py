"""A server on loopback that counts its calls, and can hold one back."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1_024


class CountingServer:
    """Answers every GET with its path; the first call of a held path gets no answer."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.held = threading.Event()
        self.holder_port = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if outer._count(self.path, self.client_address[1]):
                    self.rfile.read(1)  # until the caller has gone
                    return
                body = self.path.removeprefix("/").encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler

    def _count(self, path: str, port: int) -> bool:
        """Count the call; whether it is to be held back."""
        with self._lock:
            self.counts[path] += 1
            is_held = "held" in path and self.counts[path] == 1
        if is_held:
            self.holder_port = port
            self.held.set()
        return is_held


@contextmanager
def counting_server() -> Iterator[CountingServer]:
    """A server for one test."""
    server = CountingServer()
    try:
        yield server
    finally:
        server.close()


def owner_of(port: int, candidates: list[int]) -> int:
    """Which of the processes has the connection that comes from this port of loopback."""
    return _holder_of(port, 1, candidates)


def server_of(port: int, candidates: list[int]) -> int:
    """Which of the processes answers the connection that comes from this port of loopback."""
    return _holder_of(port, 2, candidates)


def _holder_of(port: int, column: int, candidates: list[int]) -> int:
    inodes = set(_inodes(port, column))
    for pid in candidates:
        links = (Path(f"/proc/{pid}/fd")).iterdir()
        if any(str(link.readlink()) in inodes for link in links if link.is_symlink()):
            return pid
    raise AssertionError(f"none of {candidates} has a connection from port {port}")


def _inodes(port: int, column: int) -> Iterator[str]:
    local = socket.inet_aton("127.0.0.1")[::-1].hex().upper() + f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[column] == local:
            yield f"socket:[{words[9]}]"
