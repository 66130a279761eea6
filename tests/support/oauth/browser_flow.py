"""A client of OAuth and the browser of its user, over real HTTP."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

REDIRECT = "http://127.0.0.1:5000/callback"
HTML = {"accept": "text/html"}


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier, by S256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def query_of(url: str) -> dict[str, str]:
    """Return the members of a URL's query."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@dataclass
class Flow:
    """One connection of a client: its registration, its request and its code."""

    http: httpx2.AsyncClient
    """Client without credentials."""
    client: dict[str, Any] = field(default_factory=dict)
    """Answer to the registration."""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    redirect_uri: str = REDIRECT

    @property
    def base(self) -> str:
        """Address of the gateway."""
        return str(self.http.base_url).rstrip("/")

    async def register(self, **members: Any) -> httpx2.Response:
        """Register a public client with these members."""
        body = {
            "client_name": "Notes",
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
            **members,
        }
        answer = await self.http.post("/oauth/register", json=body)
        if answer.status_code == 201:
            self.client = answer.json()
        return answer

    async def authorize(self, accept: str = "*/*", **changes: str | None) -> httpx2.Response:
        """Ask for a grant; a change to None leaves a parameter out."""
        query = {
            "response_type": "code",
            "client_id": self.client.get("client_id", ""),
            "redirect_uri": self.redirect_uri,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "state": "state-1",
            "resource": f"{self.base}/mcp",
            **changes,
        }
        sent = {name: value for name, value in query.items() if value is not None}
        return await self.http.get("/oauth/authorize", params=sent, headers={"accept": accept})

    async def open(self, **changes: str | None) -> str:
        """Ask for a grant; return the token of the request."""
        answer = await self.authorize(**changes)
        assert answer.status_code == 302, answer.text
        path = str(answer.headers["location"])
        assert path.startswith("/app/connect/"), path
        return path.removeprefix("/app/connect/")

    async def grant(
        self, browser: httpx2.AsyncClient, workflows: list[str] | None = None, **changes: str | None
    ) -> dict[str, str]:
        """Ask for a grant and give it; return the members of the answer."""
        token = await self.open(**changes)
        body = {"granted": True, "workflows": workflows}
        answer = await browser.post(f"/api/grant-requests/{token}", json=body)
        assert answer.status_code == 200, answer.text
        return query_of(answer.json()["redirectTo"])

    async def exchange(self, code: str, **changes: str | None) -> httpx2.Response:
        """Turn a code into an access token; a change to None leaves a parameter out."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client["client_id"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "resource": f"{self.base}/mcp",
            **changes,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return await self.http.post("/oauth/token", data=sent)

    async def connect(self, browser: httpx2.AsyncClient, workflows: list[str] | None = None) -> str:
        """Return an access token for the workflows."""
        answer = await self.exchange((await self.grant(browser, workflows))["code"])
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])
