"""Callers of a Service while its pods are replaced, and the server that their runs call."""

import http.client
import itertools
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.factories import Graph

TIMEOUT_SECONDS = 60.0


class CountedTarget:
    """Answers `/SECONDS/NAME` with the name after a pause, and counts the calls of each name."""

    def __init__(self, address: str) -> None:
        self.counts: Counter[str] = Counter()
        self._server = ThreadingHTTPServer((address, 0), self._make_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        counts = self.counts

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _, seconds, name = self.path.split("/")
                counts[name] += 1
                time.sleep(float(seconds))
                body = name.encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def calling(url: str, seconds: float) -> Graph:
    """Return a workflow that calls the target once for its input `id`."""
    graph = Graph("id").node("call", "httpRequest", url=f"{url}/{seconds}/{{{{id}}}}")
    graph.node("out", "responseOutput")
    return graph.wire("in.id > call.id", "call.response-out > out.result-in")


@dataclass(slots=True)
class Client:
    """Calls the API at an address, by a new connection for each call or by one that is kept."""

    address: str
    port: int
    key: str
    keeps: bool = False
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._connection is not None:
            self._connection.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return status and body. Raises OSError and HTTPException; nothing is tried again."""
        connection = self._connection or http.client.HTTPConnection(
            self.address, self.port, timeout=TIMEOUT_SECONDS
        )
        self._connection = connection if self.keeps else None
        sent = None if body is None else json.dumps(body)
        known = {"x-api-key": self.key, "content-type": "application/json"}
        try:
            connection.request(method, path, sent, known | headers)
            answer = connection.getresponse()
            text = answer.read()
        except BaseException:
            self._connection = None
            connection.close()
            raise
        if not self.keeps:
            connection.close()
        return answer.status, json.loads(text) if text else None


@dataclass(slots=True)
class Answers:
    """All that callers saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """Executions whose caller was answered with 202."""
    names: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, status: int, answer: Any, seconds: float) -> None:
        """Count an answer."""
        with self.lock:
            self.names.append(name)
            self.statuses[status] += 1
            self.slowest = max(self.slowest, seconds)
            if status == 202:
                self.unfinished.append(answer["executionId"])
            elif status != 200:
                self.failures.append(f"{name}: {status} {answer}")


@contextmanager
def under_load(client: Client, slug: str, callers: int) -> Iterator[Answers]:
    """Run a workflow from several callers, half of them on connections that they keep."""
    answers, stopping, numbers = Answers(), threading.Event(), itertools.count(1)
    prefix = secrets.token_hex(4)

    def work(keeps: bool) -> None:
        own = Client(client.address, client.port, client.key, keeps)
        while not stopping.is_set():
            name, began = f"{prefix}-{next(numbers)}", time.monotonic()
            try:
                status, answer = own.call(
                    "POST", f"/api/workflows/{slug}/run", {"inputs": {"id": name}}
                )
            except (OSError, http.client.HTTPException) as error:
                with answers.lock:
                    answers.failures.append(
                        f"{name}: {error!r} after {time.monotonic() - began:.2f} s, keeps={keeps}"
                    )
                continue
            answers.note(name, status, answer, time.monotonic() - began)
        own.close()

    threads = [
        threading.Thread(target=work, args=(number % 2 == 0,), daemon=True)
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stopping.set()
        for thread in threads:
            thread.join(TIMEOUT_SECONDS)
