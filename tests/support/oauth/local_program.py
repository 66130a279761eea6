"""A program on this computer that connects by OAuth: it listens for the browser of its user."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlencode

import httpx2

from tests.support.eventually import PATIENCE_SECONDS
from tests.support.oauth.browser_flow import challenge_of, query_of

PAGE = b"<!doctype html><title>Notes</title><link rel=icon href=data:,><h1>Back in Notes</h1>"


@dataclass
class LocalProgram:
    """A registered client with its loopback address."""

    url: str
    """Address of the installation."""
    redirect_uri: str
    name: str = "Notes"
    client_id: str = ""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    answers: list[str] = field(default_factory=list)
    """Paths at which browsers came back."""
    came_back: Event = field(default_factory=Event)

    def register(self) -> None:
        """Register the client."""
        body = {
            "client_name": self.name,
            "redirect_uris": [self.redirect_uri],
            "token_endpoint_auth_method": "none",
        }
        answer = httpx2.post(f"{self.url}/oauth/register", json=body, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 201, answer.text
        self.client_id = answer.json()["client_id"]

    def address(self, **changes: str) -> str:
        """Return the address that the program opens in the browser."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "state": "state-1",
            "resource": f"{self.url}/mcp",
            **changes,
        }
        return f"{self.url}/oauth/authorize?{urlencode(query)}"

    def answer(self) -> dict[str, str]:
        """Return the members with which the browser came back."""
        assert self.came_back.wait(PATIENCE_SECONDS), "the browser did not come back"
        return query_of(self.answers[-1])

    def exchange(self) -> str:
        """Return the access token."""
        form = {
            "grant_type": "authorization_code",
            "code": self.answer()["code"],
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        answer = httpx2.post(f"{self.url}/oauth/token", data=form, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@contextmanager
def local_program(url: str, name: str = "Notes") -> Iterator[LocalProgram]:
    """Run a program that listens while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)
            program.answers.append(self.path)
            program.came_back.set()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    program = LocalProgram(url, f"http://127.0.0.1:{server.server_port}/callback", name)
    program.register()
    yield program
    server.shutdown()
    server.server_close()
    thread.join(5)
