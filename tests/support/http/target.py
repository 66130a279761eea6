"""A server on loopback that workflows call and that receives webhooks."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.media.files import png

PNG = png(3, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    """Time of the monotonic clock."""


@dataclass(eq=False)
class Held:
    """Coming call whose path has these words; it is not answered until it is released."""

    words: str
    port: int = 0
    """Port of its client."""
    was_reached: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def await_reached(self, timeout: float = 60) -> int:
        """Wait for the call; return its client's port. Raises TimeoutError."""
        if not self.was_reached.wait(timeout):
            raise TimeoutError(f"no call with {self.words} in {timeout} s")
        return self.port

    def release(self) -> None:
        """Answer the call, if its client is still there."""
        self._released.set()

    def stop(self, port: int) -> None:
        """Hold the call from this port."""
        self.port = port
        self.was_reached.set()
        self._released.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1_024

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors: cancelled callers disconnect."""


class Stub:
    """Answers by path: `/json/…` JSON, `/png/…` an image, `/status/<code>/…` a status.

    `/long/<code>` is a status with much text, `/slow/<seconds>` an empty answer after a pause,
    `/late/<seconds>/…` its text after one, a path in `values` that value as JSON, any other path
    its text. With `holds`, paths are answered without their slash, and the first call of a path
    with `held` in it gets no answer.
    """

    def __init__(self, *, holds: bool = False, values: Mapping[str, Any] | None = None) -> None:
        self.requests: list[Request] = []
        self.counts: Counter[str] = Counter()
        """Requests by path."""
        self.held = threading.Event()
        """Set once a call is held back."""
        self.holder_port = 0
        """Client of that call."""
        self._holds = holds
        self._given = {path: _as_json(value) for path, value in (values or {}).items()}
        self._closing = threading.Event()
        self._held: list[Held] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._make_handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def at(self, path: str) -> list[Request]:
        """Return the requests for a path."""
        return [each for each in self.requests if each.path == path]

    def give(self, path: str, value: Any) -> None:
        """Answer calls of a path with a value from now on."""
        self._given[path] = _as_json(value)

    def give_file(self, path: str, data: bytes, content_type: str) -> None:
        """Answer calls of a path with a file from now on."""
        self._given[path] = data, content_type

    def hold(self, words: str) -> Held:
        """Hold back the next call whose path has these words."""
        self._held.append(held := Held(words))
        return held

    def close(self) -> None:
        """Stop answering."""
        self._closing.set()
        for held in self._held:
            held.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _pause(self, words: list[str]) -> None:
        if words[0] in ("slow", "late"):
            self._closing.wait(float(words[1]))

    def _stop_if_held(self, path: str, port: int) -> None:
        with self._lock:
            waiting = (one for one in self._held if one.port == 0 and one.words in path)
            held = next(waiting, None)
            if held is not None:
                held.port = port
        if held is not None:
            held.stop(port)

    def _note(self, request: Request, port: int) -> bool:
        """Keep the request; return whether it is held back."""
        with self._lock:
            self.requests.append(request)
            self.counts[request.path] += 1
            is_first = self.counts[request.path] == 1
        is_held = self._holds and is_first and "held" in request.path
        if is_held:
            self.holder_port = port
            self.held.set()
        return is_held

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(
                    method=self.command,
                    path=self.path,
                    headers=headers,
                    body=body,
                    at=time.monotonic(),
                )
                is_held = outer._note(request, self.client_address[1])
                outer._stop_if_held(self.path, self.client_address[1])
                if is_held:
                    self.rfile.read(1)  # until the caller has disconnected
                elif outer._holds:
                    self.send(200, self.path.removeprefix("/"))
                elif self.path in outer._given:
                    self.send(200, *outer._given[self.path])
                else:
                    self.reply(self.path.strip("/").split("/"))

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def reply(self, words: list[str]) -> None:
                outer._pause(words)
                if words[0] != "slow":
                    self.send(*_reply(self.path, words))

            def send(self, status: int, text: str | bytes, kind: str = "text/plain") -> None:
                data = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                if status in (301, 302, 307):
                    self.send_header("location", f"{outer.url}/moved")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


def _as_json(value: Any) -> tuple[bytes, str]:
    return json.dumps(value).encode(), "application/json"


def _reply(path: str, words: list[str]) -> tuple[int, str | bytes, str]:
    """Return status, body and type of an answer."""
    match words:
        case ["json", *_]:
            return 200, json.dumps({"path": path, "n": 2}), "application/json"
        case ["png", *_]:
            return 200, PNG, "image/png"
        case ["long", status]:
            return int(status), "é" * 5_000, "text/plain"
        case ["status", status, *_]:
            return int(status), path, "text/plain"
    return 200, path, "text/plain"


@contextmanager
def stub_server(*, holds: bool = False, values: Mapping[str, Any] | None = None) -> Iterator[Stub]:
    """Run a server while the context lasts."""
    server = Stub(holds=holds, values=values)
    try:
        yield server
    finally:
        server.close()
