"""HTTP Request: one call to the outside, put together from templates."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

import msgspec

from engine.expressions import Template, members_read, to_json, to_text
from engine.nodes.base import (
    Context,
    HttpAnswer,
    HttpCall,
    Kind,
    NodeFailed,
    NodeType,
    Outputs,
    SettingsError,
)
from engine.nodes.typed import EMPTY, read_template
from engine.policy import read_timeout
from engine.sockets import Socket, SocketType
from engine.urls import UrlRefused, check_url, header_fault
from engine.values import fault, kind_of

BODY_IN = "body-in"
PARAMS_IN = "params-in"
RESPONSE_OUT = "response-out"
STATUS_OUT = "status-out"

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_BYTES = 10_485_760
MAX_HEADERS = 50
MAX_HEADER = 8_192
MAX_REDIRECTS = 3
FIXED_HOST = re.compile(r"[a-z]+://[^/?#]+[/?#]", re.IGNORECASE)
"""The beginning of a URL up to the end of its host."""
RETRYABLE = frozenset({408, 425, 429})
JSON_TYPE = re.compile(r"(?:application|text)/(?:[\w.!#$&^-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
CHARSET = re.compile(r"charset\s*=\s*\"?([\w-]+)", re.IGNORECASE)
CHARSETS = frozenset({"us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"})
"""What an answer's text may be in beside UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestSettings:
    """The call as its author wrote it."""

    method: str
    url: Template
    headers: tuple[tuple[str, Template], ...]
    body: Template | None
    timeout_seconds: float
    max_bytes: int
    reads_status: bool = False
    """Someone is wired to the status, so none of them is a failure."""

    @property
    def templates(self) -> Sequence[Template]:
        """All texts with placeholders."""
        body = () if self.body is None else (self.body,)
        return (self.url, *(value for _, value in self.headers), *body)

    @property
    def names(self) -> frozenset[str]:
        """All placeholders."""
        return frozenset().union(*(template.names for template in self.templates))


class HttpRequest(NodeType):
    """Calls a URL and gives the answer, parsed where it is JSON."""

    type = "httpRequest"
    category = "Utilities"
    kind = Kind.IO

    def parse(self, data: Mapping[str, Any]) -> HttpRequestSettings:
        reasons = list(_faults(data))
        url = _parse_url(data.get("url"), reasons)
        headers = tuple(_parse_headers(data.get("headers"), reasons))
        body = read_template("body", data["body"], reasons) if data.get("body") else None
        if reasons:
            raise SettingsError(*reasons)
        return HttpRequestSettings(
            method=(data.get("method") or "GET").upper(),
            url=url,
            headers=headers,
            body=body,
            timeout_seconds=read_timeout(data) or DEFAULT_TIMEOUT_SECONDS,
            max_bytes=data.get("maxBytes") or MAX_BYTES,
        )

    def inputs(self, settings: HttpRequestSettings) -> Mapping[str, Socket]:
        optional = {name: Socket(type=SocketType.ANY) for name in (BODY_IN, PARAMS_IN)}
        placeholder = Socket(type=SocketType.ANY, required=True)
        return optional | dict.fromkeys(sorted(settings.names), placeholder)

    def outputs(self, settings: HttpRequestSettings) -> Mapping[str, Socket]:
        return {name: Socket(type=SocketType.ANY) for name in (RESPONSE_OUT, STATUS_OUT)}

    def fixed_url(self, settings: HttpRequestSettings) -> str | None:
        first = settings.url.parts[0]
        if not settings.url.names:
            return settings.url.render({})
        match = FIXED_HOST.match(first) if isinstance(first, str) else None
        return match and match.group()

    def reads(self, settings: HttpRequestSettings, socket: str) -> Collection[str] | None:
        return members_read(settings.templates, socket) if socket in settings.names else None

    def bind(self, settings: HttpRequestSettings, wired: frozenset[str]) -> HttpRequestSettings:
        return replace(settings, reads_status=STATUS_OUT in wired)

    async def run(
        self, settings: HttpRequestSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        answer = await context.fetch(_build_call(settings, inputs))
        if answer.status >= 400 and not settings.reads_status:
            raise _refused(answer.status)
        return {RESPONSE_OUT: read_answer(answer), STATUS_OUT: answer.status}


def read_answer(answer: HttpAnswer) -> Any:
    """An answer's body as a value: parsed JSON, or text. Raises NodeFailed (bad_response)."""
    content_type = answer.headers.get("content-type", "")
    if not JSON_TYPE.match(content_type.strip()):
        return _decode(answer.body, content_type)
    if not answer.body.strip():
        return None
    try:
        value = msgspec.json.decode(answer.body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = "The answer says it is JSON, but it does not parse"
        raise NodeFailed("bad_response", message) from None
    reason = fault(value)
    if reason:
        raise NodeFailed("bad_response", f"The answer {reason}")
    return value


def _faults(data: Mapping[str, Any]) -> Iterator[str]:
    method = data.get("method")
    if method is not None and (not isinstance(method, str) or method.upper() not in METHODS):
        yield f"method must be one of {', '.join(METHODS)}"
    limit = data.get("maxBytes")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
        yield "maxBytes must be a whole number"
    elif limit is not None and not 1 <= limit <= MAX_BYTES:
        yield f"maxBytes must be from 1 to {MAX_BYTES}"


def _parse_url(text: object, reasons: list[str]) -> Template:
    if not text:
        reasons.append("url must be a text that begins with http:// or https://")
        return EMPTY
    template = read_template("url", text, reasons)
    if isinstance(text, str) and not template.names and template.parts:
        try:
            check_url(text, allow_private=True)
        except UrlRefused as error:
            reasons.append(f"url: {error}")
    return template


def _parse_headers(raw: object, reasons: list[str]) -> Iterator[tuple[str, Template]]:
    headers = {} if raw is None else raw
    if not isinstance(headers, dict) or len(headers) > MAX_HEADERS:
        reasons.append(f"headers must be an object of at most {MAX_HEADERS} names and texts")
        return
    taken: set[str] = set()
    for name, text in headers.items():
        lower = name.lower()
        reason = header_fault(name, text if isinstance(text, str) else "")
        if reason:
            reasons.append(f"headers: {name[:64]!r} {reason}")
        elif lower in taken:
            reasons.append(f"headers: '{name}' is there more than once")
        else:
            taken.add(lower)
            yield name, read_template(f"headers: {name}", text, reasons)


def _build_call(settings: HttpRequestSettings, inputs: Mapping[str, Any]) -> HttpCall:
    headers = [(name, _header(name, value, inputs)) for name, value in settings.headers]
    body, content_type = _body(settings, inputs)
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    return HttpCall(
        method=settings.method,
        url=_url(settings, inputs),
        headers=tuple(headers),
        body=body,
        timeout_seconds=settings.timeout_seconds,
        max_bytes=settings.max_bytes,
        max_redirects=MAX_REDIRECTS,
    )


def _header(name: str, template: Template, inputs: Mapping[str, Any]) -> str:
    text = template.render(inputs).strip(" \t")
    if header_fault(name, text) or len(text) > MAX_HEADER:
        message = f"The header '{name}' has a control character or over {MAX_HEADER} characters"
        raise NodeFailed("template_error", message)
    return text


def _body(
    settings: HttpRequestSettings, inputs: Mapping[str, Any]
) -> tuple[bytes | None, str | None]:
    if BODY_IN in inputs:
        value = inputs[BODY_IN]
        if value is None:
            return None, None
        text = value if isinstance(value, str) else to_json(value)
        is_json = not isinstance(value, str) or _is_json(text)
    elif settings.body is not None:
        text = settings.body.render(inputs)
        is_json = _is_json(text)
    else:
        return None, None
    return text.encode(), "application/json" if is_json else "text/plain; charset=utf-8"


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _url(settings: HttpRequestSettings, inputs: Mapping[str, Any]) -> str:
    url = settings.url.render_url(inputs).strip(" \t\r\n")
    params = inputs.get(PARAMS_IN)
    try:
        check_url(url, allow_private=True)
        url = url if params is None else _merge_query(url, params)
        check_url(url, allow_private=True)
    except UrlRefused as error:
        raise NodeFailed("url_blocked", str(error)) from None
    return url


def _merge_query(url: str, params: object) -> str:
    if not isinstance(params, dict):
        message = f"'{PARAMS_IN}' takes an object, and {kind_of(params)} came in"
        raise NodeFailed("invalid_value", message)
    parts = urlsplit(url)
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and unquote_plus(pair.partition("=")[0]) not in params
    ]
    added = [
        f"{quote(name, safe='')}={quote(to_text(item), safe='')}"
        for name, value in params.items()
        for item in _items(value)
    ]
    return urlunsplit(parts._replace(query="&".join(kept + added)))


def _items(value: Any) -> Iterable[Any]:
    items = value if isinstance(value, list) else [value]
    return (item for item in items if item is not None)


def _refused(status: int) -> NodeFailed:
    is_retryable = status in RETRYABLE or 500 <= status <= 599
    return NodeFailed("http_status", f"The server answered {status}", retryable=is_retryable)


def _decode(body: bytes, content_type: str) -> str:
    match = CHARSET.search(content_type)
    charset = match[1].lower() if match else "utf-8"
    if charset in CHARSETS:
        return body.decode(charset, "replace")
    return body.decode("utf-8-sig", "replace")
