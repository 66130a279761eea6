"""A call as the handlers see it, and the answer they give."""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from starlette.datastructures import Headers

from deploy.stub_provider.refusals import StubRefused
from deploy.stub_provider.script import CallScript


@dataclass(frozen=True, slots=True, kw_only=True)
class StubRequest:
    """One call: its body read, its script known, its credential checked."""

    body: Mapping[str, Any]
    headers: Headers
    path: Mapping[str, str]
    query: Mapping[str, str]
    base_url: str
    script: CallScript
    model: str

    def text(self, name: str) -> str:
        """A text that the body must have. Raises Refused."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise StubRefused(400, f"(stub) '{name}' must be a text.", param=name)
        return value

    def choice(self, name: str, usual: str, options: Collection[str]) -> str:
        """One of the options. Raises Refused."""
        value = self.body.get(name, usual)
        if not isinstance(value, str) or value not in options:
            raise StubRefused(400, f"(stub) '{name}' cannot be {value!r}.", param=name)
        return value

    def whole(self, name: str, usual: int, *, most: int) -> int:
        """A whole number from 1 to `most`. Raises Refused."""
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
    """What is sent; several chunks are sent one after the other."""

    chunks: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    error_event: bytes | None = None
    """How a stream tells an error half-way; None: it is no stream."""


def answer_json(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> StubAnswer:
    """A JSON answer."""
    return StubAnswer(chunks=(to_json(value),), status=status, headers=headers or {})


def answer_stream(events: tuple[bytes, ...], error_event: bytes) -> StubAnswer:
    """Server-sent events."""
    return StubAnswer(
        chunks=events, content_type="text/event-stream; charset=utf-8", error_event=error_event
    )


def with_usage(answer: StubAnswer, input_tokens: int, output_tokens: int) -> StubAnswer:
    """The answer, with the tokens that it took."""
    return replace(answer, input_tokens=input_tokens, output_tokens=output_tokens)


def to_json(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def read_body(headers: Headers, raw: bytes) -> Mapping[str, Any]:
    """A JSON object, or the fields of a form; empty when there is none. Raises Refused."""
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
    """Whether a text is base64 of something."""
    if not isinstance(data, str) or not data:
        return False
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        return False
    return True


def count_urls(images: Any, name: str) -> int:
    """How many images are given by their URLs, which may hold their data. Raises Refused."""
    listed = images if isinstance(images, list) else [] if images is None else [images]
    for url in listed:
        kind, _, data = url.partition(";base64,") if isinstance(url, str) else ("", "", "")
        is_data = kind.startswith("data:image/") and is_base64(data)
        if not is_data and not kind.startswith(("http://", "https://")):
            raise StubRefused(400, f"(stub) '{name}' must be URLs of images.", param=name)
    return len(listed)


def _read_form(content_type: str, raw: bytes) -> Mapping[str, Any]:
    """Texts by their names, and for each name of files a list of them."""
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
