"""A remote on loopback that repeats what it is sent, in a body, an error and a redirect."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit


class EchoServer:
    """Paths, each with the sent headers and query values in its answer:

    `/json` as values and keys, `/text` in each form of a secret, `/error` as a 500 of that text,
    `/here` a redirect to `/json`, `/away` one to the other server, `/leak` one to the other
    server with what was sent in its query, `/disguise` the same with each byte percent-encoded.
    """

    def __init__(self, other: str = "") -> None:
        self._other = other
        self.received: list[tuple[str, dict[str, str]]] = []
        """Path with query, and headers, of each request."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.received.append((self.path, headers))
                sent = [value for name, value in headers.items() if name not in ("host", "accept")]
                sent += [value for _, value in parse_qsl(urlsplit(self.path).query)]
                self.reply(urlsplit(self.path).path, sent)

            do_GET = do_POST = answer

            def reply(self, path: str, sent: list[str]) -> None:
                places = {
                    "/here": f"/json?{urlsplit(self.path).query}",
                    "/away": f"{outer._other}/json",
                    "/leak": f"{outer._other}/json?k={quote(' '.join(sent))}",
                    "/disguise": f"{outer._other}/json?k={_encoded(' '.join(sent))}",
                }
                if path in places:
                    self.send(307, "", "text/plain", places[path])
                elif path == "/json":
                    echo = {"sent": sent, "url": self.path, **dict.fromkeys(sent, 1)}
                    self.send(200, json.dumps(echo), "application/json")
                else:
                    self.send(500 if path == "/error" else 200, _in_all_forms(sent), "text/plain")

            def send(self, status: int, text: str, kind: str, location: str = "") -> None:
                data = text.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.send_header("x-echo", quote(text[:500]))
                if location:
                    self.send_header("location", location)
                self.end_headers()
                # In two pieces, so that a secret may lie across their ends.
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.wfile.write(data[len(data) // 2 :])

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


def _encoded(text: str) -> str:
    """Return a text with each byte percent-encoded."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _in_all_forms(sent: list[str]) -> str:
    forms = []
    for each in sent:
        data = each.encode()
        forms += [each, quote(each, safe=""), json.dumps(each), data.hex(), data.hex().upper()]
        forms += [
            base64.b64encode(before + each.encode()).decode() for before in (b"", b"x", b"xy")
        ]
    return "\n".join(forms)


@contextmanager
def echo_server(other: str = "") -> Iterator[EchoServer]:
    """Run a server while the context lasts; redirects lead to the `other` address."""
    server = EchoServer(other)
    try:
        yield server
    finally:
        server.close()
