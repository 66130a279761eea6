"""The command's own HTTP client: one call, JSON in and out, no proxies."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from deploy.problems import CommandFailed


class Unreachable(CommandFailed):
    """Nobody answers at this address."""


def call(
    method: str,
    url: str,
    *,
    key: str | None = None,
    body: Mapping[str, Any] | bytes | None = None,
    timeout: float = 30.0,
) -> tuple[int, Any]:
    """Send one request; give the status and the parsed answer."""
    connection, path = connect(url, timeout)
    try:
        connection.request(method, path, body=_encode(body), headers=_headers(key, body))
        response = connection.getresponse()
        return response.status, read_json(response.read())
    except (OSError, http.client.HTTPException) as error:
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}"
        raise Unreachable(f"{address} does not answer ({type(error).__name__}).") from error
    finally:
        connection.close()


def connect(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection that is not open yet, and the path to ask for."""
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return make(parts.hostname or "", parts.port, timeout=timeout), path


def _headers(key: str | None, body: object) -> dict[str, str]:
    headers = {"accept": "application/json"}
    if key is not None:
        headers["x-api-key"] = key
    if body is not None:
        headers["content-type"] = "application/json"
    return headers


def _encode(body: Mapping[str, Any] | bytes | None) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


def read_json(raw: bytes) -> Any:
    """The parsed answer; one that is no JSON is its text."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
