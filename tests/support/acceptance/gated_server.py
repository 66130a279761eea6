"""A server whose calls wait until the test releases them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    """Answers every path with its own name; one that begins with `wait` once it is released."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """Calls by path."""
        self._open: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def let_go(self, path: str) -> None:
        """Answer the calls of a path, later ones too."""
        self._event(path).set()

    def close(self) -> None:
        """Answer all calls and end."""
        for each in list(self._open):
            self.let_go(each)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _event(self, path: str) -> threading.Event:
        with self._lock:
            return self._open.setdefault(path, threading.Event())

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with outer._lock:
                    outer.counts[self.path] += 1
                if self.path.startswith("/wait"):
                    outer._event(self.path).wait(60)
                body = self.path.removeprefix("/").encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        return Handler


@contextmanager
def running_gate() -> Iterator[Gate]:
    """Run a gate while the context lasts."""
    gate = Gate()
    try:
        yield gate
    finally:
        gate.close()
