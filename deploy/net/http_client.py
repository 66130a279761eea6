"""HTTP client of the command: one call, JSON in and out, no proxies."""

import contextlib
import http.client
import json
from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from deploy.output.problems import CommandFailed


class Unreachable(CommandFailed):
    """No server answers at this address."""


def call(
    method: str,
    url: str,
    *,
    key: str | None = None,
    body: Mapping[str, Any] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> tuple[int, Any]:
    """Send one request; return the status and the parsed answer. Raises Unreachable."""
    headers = {"accept": "application/json", **(headers or {})}
    if key is not None:
        headers["x-api-key"] = key
    if body is not None:
        headers["content-type"] = "application/json"
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = exchange(method, url, sent, headers, timeout)
    return status, read_json(answer)


def exchange(
    method: str,
    url: str,
    body: bytes | BinaryIO | None,
    headers: Mapping[str, str],
    timeout: float,
) -> tuple[int, bytes]:
    """Send one request; return the status and the body. Raises Unreachable.

    `timeout` is the longest silence of the server, in seconds.
    """
    connection, path = connect(url, timeout)
    try:
        # A server may answer before it has read a whole file, and read no more.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}"
        raise Unreachable(f"{address} does not answer ({type(error).__name__}).") from error
    finally:
        connection.close()


def connect(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """Return an unopened connection, and the path to request."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return make(parts.hostname or "", parts.port, timeout=timeout), path


def read_json(raw: bytes) -> Any:
    """Return the parsed answer, or its text when it is no JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
