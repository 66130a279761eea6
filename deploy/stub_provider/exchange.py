"""Requests as handlers read them, and the answers that they return."""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from starlette.datastructures import Headers

from deploy.stub_provider.errors import StubRefused
from deploy.stub_provider.script import CallScript


@dataclass(frozen=True, slots=True, kw_only=True)
class StubRequest:
    """One call: body read, script parsed, credential checked."""

    body: Mapping[str, Any]
    headers: Headers
    path: Mapping[str, str]
    query: Mapping[str, str]
    base_url: str
    script: CallScript
    model: str

    def text(self, name: str) -> str:
        """Return a required text of the body. Raises StubRefused."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise StubRefused(400, f"(stub) '{name}' must be a text.", param=name)
        return value

    def choice(self, name: str, usual: str, options: Collection[str]) -> str:
        """Return one of the options. Raises StubRefused."""
        value = self.body.get(name, usual)
        if not isinstance(value, str) or value not in options:
            raise StubRefused(400, f"(stub) '{name}' cannot be {value!r}.", param=name)
        return value

    def whole(self, name: str, usual: int, *, most: int) -> int:
        """Return a whole number from 1 to `most`. Raises StubRefused."""
        value = self.body.get(name)
        if value is None:
            return usual
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise StubRefused(400, f"(stub) '{name}' is a number from 1 to {most}.", param=name)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class StubAnswer:
    """An answer; several chunks are sent one after the other."""

    chunks: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    error_event: bytes | None = None
    """Event that reports an error during a stream; None: the answer is no stream."""


def answer_json(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> StubAnswer:
    """Return a JSON answer."""
    return StubAnswer(chunks=(to_json(value),), status=status, headers=headers or {})


def answer_stream(events: tuple[bytes, ...], error_event: bytes) -> StubAnswer:
    """Return an answer of server-sent events."""
    return StubAnswer(
        chunks=events, content_type="text/event-stream; charset=utf-8", error_event=error_event
    )


def with_usage(answer: StubAnswer, input_tokens: int, output_tokens: int) -> StubAnswer:
    """Return the answer with its count of tokens."""
    return replace(answer, input_tokens=input_tokens, output_tokens=output_tokens)


def to_json(value: Any) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def read_body(headers: Headers, raw: bytes) -> Mapping[str, Any]:
    """Return a JSON object or the fields of a form; empty without a body. Raises StubRefused."""
    if headers.get("content-type", "").startswith("multipart/form-data"):
        return _read_form(headers["content-type"], raw)
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise StubRefused(400, "(stub) The body is not JSON.") from None
    if not isinstance(body, dict):
        raise StubRefused(400, "(stub) The body is not a JSON object.")
    return body


def is_base64(data: Any) -> bool:
    """Return whether a text is valid base64."""
    if not isinstance(data, str) or not data:
        return False
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        return False
    return True


def count_urls(images: Any, name: str) -> int:
    """Return the number of images in URLs, which may hold their data. Raises StubRefused."""
    listed = images if isinstance(images, list) else [] if images is None else [images]
    for url in listed:
        kind, _, data = url.partition(";base64,") if isinstance(url, str) else ("", "", "")
        is_data = kind.startswith("data:image/") and is_base64(data)
        if not is_data and not kind.startswith(("http://", "https://")):
            raise StubRefused(400, f"(stub) '{name}' must be URLs of images.", param=name)
    return len(listed)


def _read_form(content_type: str, raw: bytes) -> Mapping[str, Any]:
    """Return texts by name, and a list of files by name."""
    start = f"Content-Type: {content_type}\r\n\r\n".encode()
    body: dict[str, Any] = {}
    for part in BytesParser(policy=HTTP).parsebytes(start + raw).iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes):
            if part.get_filename() is None:
                body[name] = data.decode(errors="replace")
            else:
                files = body.setdefault(name.removesuffix("[]"), [])
                if isinstance(files, list):
                    files.append(data)
    return body
