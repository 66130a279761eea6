"""HTTP client of the command: one call, JSON in and out, no proxies."""

import contextlib
import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from deploy.problems import CommandFailed

UPLOAD_SECONDS = 300.0
"""Longest silence of a server while it receives or inspects a file."""


class Unreachable(CommandFailed):
    """No server answers at this address."""


def call(
    method: str,
    url: str,
    *,
    key: str | None = None,
    body: Mapping[str, Any] | bytes | None = None,
    if_match: str | None = None,
    timeout: float = 30.0,
) -> tuple[int, Any]:
    """Send one request; return the status and the parsed answer."""
    headers = _headers(key) | ({} if if_match is None else {"if-match": if_match})
    if body is not None:
        headers["content-type"] = "application/json"
    return _exchange(method, url, _encode(body), headers, timeout)


def upload(url: str, file: Path, key: str) -> tuple[int, Any]:
    """Send a file unchanged; return the status and the parsed answer. Raises OSError."""
    with file.open("rb") as stream:
        size = str(file.stat().st_size)
        more = {"content-type": "application/octet-stream", "content-length": size}
        return _exchange("POST", url, stream, _headers(key) | more, UPLOAD_SECONDS)


def _exchange(
    method: str,
    url: str,
    body: bytes | BinaryIO | None,
    headers: Mapping[str, str],
    timeout: float,
) -> tuple[int, Any]:
    connection, path = connect(url, timeout)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body=body, headers=headers)
        # A server may answer before it has read the whole file, and read no more.
        response = connection.getresponse()
        return response.status, read_json(response.read())
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


def _headers(key: str | None) -> dict[str, str]:
    headers = {"accept": "application/json"}
    if key is not None:
        headers["x-api-key"] = key
    return headers


def _encode(body: Mapping[str, Any] | bytes | None) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


def read_json(raw: bytes) -> Any:
    """Return the parsed answer, or its text when it is no JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
