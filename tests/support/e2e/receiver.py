"""A receiver of webhooks and of the calls of nodes, on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

MOST_SECONDS = 60


@dataclass
class Received:
    """Address of the receiver, the bodies and ids that it was sent, and how it answers."""

    url: str
    bodies: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    """`webhook-id` of each body; empty without one."""
    headers: list[dict[str, str]] = field(default_factory=list)
    """Headers of each body, by their names in lower case."""
    status: int = 200
    answers: Event = field(default_factory=Event)
    """Cleared: calls wait until it is set."""

    def __post_init__(self) -> None:
        """Answer at once."""
        self.answers.set()


@contextmanager
def receiving() -> Iterator[Received]:
    """Receive events while the context lasts, and thank for each."""
    received = Received("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            received.ids.append(self.headers.get("webhook-id", ""))
            received.headers.append({name.lower(): text for name, text in self.headers.items()})
            received.answers.wait(MOST_SECONDS)
            with suppress(BrokenPipeError):  # the caller did not wait
                self.send_response(received.status)
                self.end_headers()
                self.wfile.write(b"thanks" if received.status < 300 else b"out of order")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    received.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield received
    received.answers.set()
    server.shutdown()
    server.server_close()
    thread.join(5)
