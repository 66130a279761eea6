"""Requests, answers and failures in the terms of httpx, for both drivers."""

import os
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from headrace_client.core.effects import Request, Response, TransportFailure
from headrace_client.errors import HeadraceError

URL_VARIABLE = "HEADRACE_URL"
KEY_VARIABLE = "HEADRACE_API_KEY"
CONNECT_SECONDS = 10.0
EVENT_STREAM = "text/event-stream"
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50)
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
FIRST_ERROR = 400


def _version() -> str:
    try:
        return version("headrace-client")
    except PackageNotFoundError:  # in a checkout
        return "0"


USER_AGENT = f"headrace-client-python/{_version()}"


@dataclass(frozen=True, slots=True)
class Server:
    """Base URL of an installation, and a key of it."""

    url: str
    key: str = field(repr=False)

    @classmethod
    def find(cls, api_key: str | None, base_url: str | None) -> "Server":
        """Take URL and key from the environment where they are not given.

        Raises HeadraceError for one that is missing.
        """
        key = api_key or os.environ.get(KEY_VARIABLE, "")
        url = base_url or os.environ.get(URL_VARIABLE, "")
        if not key:
            raise HeadraceError(f"An API key is needed: give api_key, or set {KEY_VARIABLE}")
        if not url.startswith(("http://", "https://")):
            raise HeadraceError(
                f"The URL of the installation is needed, as http://127.0.0.1:8000 is one: give "
                f"base_url, or set {URL_VARIABLE}"
            )
        return cls(url.rstrip("/"), key.strip())

    def arguments(self, request: Request) -> dict[str, Any]:
        """Return the arguments with which httpx builds a request."""
        upload = request.upload
        part = None if upload is None else (upload.name, upload.content, upload.content_type)
        return {
            "method": request.method,
            "url": self.url + request.path,
            "params": list(request.query) or None,
            "headers": {"accept": "application/json", "user-agent": USER_AGENT}
            | dict(request.headers)
            | {"x-api-key": self.key},
            "content": request.body,
            "files": None if part is None else {"file": part},
            "timeout": httpx.Timeout(request.silence_seconds, connect=CONNECT_SECONDS),
        }


def is_event_stream(request: Request, answer: httpx.Response) -> bool:
    """Return whether the body is left for `Read` steps."""
    kind = answer.headers.get("content-type", "")
    return request.is_stream and answer.status_code < FIRST_ERROR and kind.startswith(EVENT_STREAM)


def head(answer: httpx.Response, body: bytes = b"") -> Response:
    """Return an answer as flows know it."""
    return Response(answer.status_code, dict(answer.headers), body)


def failure(error: httpx.TransportError) -> TransportFailure:
    """Return what a broken connection is to a flow."""
    name = type(error).__name__
    message = f"{name}: {error}" if str(error) else name
    return TransportFailure(message, was_sent=not isinstance(error, NOTHING_SENT))
