"""A server on loopback that workflows call and that webhooks are delivered to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Callers that were cancelled hang up."""


class Stub:
    """`/json/…` answers JSON, `/status/<code>/…` that status, `/slow/<seconds>` nothing, later,

    everything else the path as text.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def at(self, path: str) -> list[Request]:
        """The requests for a path."""
        return [each for each in self.requests if each.path == path]

    def close(self) -> None:
        """Stop answering."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.requests.append(
                    Request(method=self.command, path=self.path, headers=headers, body=body)
                )
                self.reply(self.path.strip("/").split("/"))

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def reply(self, words: list[str]) -> None:
                if words[0] == "slow":
                    outer._closing.wait(float(words[1]))
                    return
                status = int(words[1]) if words[0] == "status" else 200
                is_json = words[0] == "json"
                body = json.dumps({"path": self.path, "n": 2}) if is_json else self.path
                self.send_response(status)
                self.send_header("content-type", "application/json" if is_json else "text/plain")
                self.send_header("content-length", str(len(body)))
                if status in (301, 302, 307):
                    self.send_header("location", f"{outer.url}/moved")
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


@contextmanager
def stub_server() -> Iterator[Stub]:
    """A server for as long as the context lasts."""
    server = Stub()
    try:
        yield server
    finally:
        server.close()
