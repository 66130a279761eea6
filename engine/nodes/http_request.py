"""HTTP Request: outbound calls built from templates."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from engine.errors.nodes import NodeFailed
from engine.media.formats import media_kind_of
from engine.net.header_policy import header_fault
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import NO_MEDIA, Context, HttpCall, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import CALLS_AT_ONCE, check_lengths, longest_list, unknown_list
from engine.nodes.support.http_answer import find_medium, keep_answer, read_answer, refused
from engine.nodes.support.http_body import (
    BODY,
    BODY_IN,
    BODY_TYPE,
    MULTIPART,
    BodySettings,
    make_body,
    parse_body,
)
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.policy import read_timeout
from engine.nodes.support.settings import (
    EMPTY,
    Faults,
    Setting,
    choice,
    flag,
    is_whole,
    read_all,
    read_template,
)
from engine.values.plain import kind_of
from engine.values.sockets import MEDIA_TYPES, Socket, SocketType
from engine.values.templates import Template, members_read, to_text

PARAMS_IN = "params-in"
RESPONSE_OUT = "response-out"
STATUS_OUT = "status-out"

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
DEFAULT_TIMEOUT_SECONDS = 30.0
MAX_BYTES = 10_485_760
MAX_BYTES_TOGETHER = 104_857_600
"""Limit of all answers of a node with `each`."""
MAX_HEADERS = 50
MAX_HEADER = 8_192
MAX_REDIRECTS = 3
FIXED_HOST = re.compile(r"[a-z]+://[^/?#]+[/?#]", re.IGNORECASE)
"""Start of a URL up to the end of its host."""
CONTENT_TYPE = "content-type"
URL_WORDS = "must be a text that begins with http:// or https://"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestSettings:
    """Parsed settings of the call."""

    method: str
    url: Template
    headers: tuple[tuple[str, Template], ...]
    body: BodySettings
    timeout_seconds: float
    max_bytes: int
    is_each: bool = False
    """Each item of the wired lists makes a call."""
    kept: frozenset[SocketType] = frozenset()
    """Kinds of media that are stored as assets."""
    reads_status: bool = False
    """The status output has an edge, so no status is a failure."""

    @property
    def templates(self) -> Sequence[Template]:
        """All templates."""
        return (self.url, *(value for _, value in self.headers), *self.body.templates)

    @property
    def names(self) -> frozenset[str]:
        """Names of all placeholders."""
        return frozenset().union(*(template.names for template in self.templates))


def _read_method(raw: object, path: str, faults: Faults) -> str | None:
    if isinstance(raw, str) and raw.upper() in METHODS:
        return raw.upper()
    faults.add(path, f"must be one of {', '.join(METHODS)}")
    return None


def _read_limit(raw: Any, path: str, faults: Faults) -> int | None:
    if not is_whole(raw):
        faults.add(path, "must be a whole number")
    elif not 1 <= raw <= MAX_BYTES:
        faults.add(path, f"must be from 1 to {MAX_BYTES}")
    else:
        return int(raw)
    return None


def _read_url(text: object, path: str, faults: Faults) -> Template | None:
    if not text:
        faults.add(path, URL_WORDS)
        return None
    before = len(faults.found)
    template = read_template(path, text, faults)
    if len(faults.found) == before and not template.names and template.parts:
        try:
            check_url(str(text), allow_private=True)
        except UrlRefused as error:
            faults.add_rule(f"{path}: {error}", path)
    return template


def _read_headers(
    headers: object, path: str, faults: Faults
) -> tuple[tuple[str, Template], ...] | None:
    if not isinstance(headers, dict) or len(headers) > MAX_HEADERS:
        faults.add(path, f"must be an object of at most {MAX_HEADERS} names and texts")
        return None
    taken: set[str] = set()
    found: list[tuple[str, Template]] = []
    for name, text in headers.items():
        lower = name.lower()
        reason = header_fault(name, text if isinstance(text, str) else "")
        if reason:
            faults.add_rule(f"{path}: {name[:64]!r} {reason}", f"{path}.{name}")
        elif lower in taken:
            faults.add_rule(f"{path}: '{name}' is there more than once", f"{path}.{name}")
        else:
            taken.add(lower)
            template = read_template(f"{path}: {name}", text, faults, field=f"{path}.{name}")
            found.append((name, template))
    return tuple(found)


def _letters(word: str) -> str:
    return "".join(f"[{letter}{letter.lower()}]" for letter in word)


METHOD = Setting(
    name="method",
    about="The method, in upper or lower case.",
    widget="select",
    value={
        "type": "string",
        "pattern": f"^(?:{'|'.join(map(_letters, METHODS))})$",
        "examples": [*METHODS],
    },
    parse=_read_method,
    default="GET",
    fallback="GET",
)
URL = Setting(
    name="url",
    about="The URL, a template; placeholders are encoded in its path and query.",
    widget="template",
    value={"type": "string", "minLength": 1},
    parse=_read_url,
    fallback=EMPTY,
    is_required=True,
    missing=URL_WORDS,
)
HEADERS = Setting(
    name="headers",
    about="Headers by name; each text is a template.",
    widget="headers",
    value={
        "type": "object",
        "maxProperties": MAX_HEADERS,
        "additionalProperties": {"type": "string"},
    },
    parse=_read_headers,
    fallback=(),
)
LIMIT = Setting(
    name="maxBytes",
    about="Limit of the answer's body, in bytes.",
    widget="number",
    value={"type": "integer", "minimum": 1, "maximum": MAX_BYTES},
    parse=_read_limit,
    default=MAX_BYTES,
    fallback=MAX_BYTES,
)
EACH = flag("each", "Make a call for each item of the wired lists.")
SAVE_AS = choice(
    "saveAs",
    "Store a medium in the answer as an asset of the account.",
    ("asset",),
    words="must be 'asset'",
)
OWN = (METHOD, LIMIT, EACH, SAVE_AS)


class HttpRequest(NodeType):
    """Calls a URL and outputs the answer, parsed if it is JSON."""

    type = "httpRequest"
    category = "Utilities"
    label = "HTTP Request"
    description = "Calls a URL and outputs the answer, parsed if it is JSON."
    kind = WorkKind.IO
    is_dynamic = True
    members = (METHOD, URL, HEADERS, BODY_TYPE, BODY, EACH, SAVE_AS, LIMIT)

    def read(self, data: Mapping[str, Any], faults: Faults) -> HttpRequestSettings:
        given = read_all(OWN, data, faults)
        url, headers = URL.read(data, faults), HEADERS.read(data, faults)
        body = parse_body(data, faults)
        if body.type == MULTIPART and any(name.lower() == CONTENT_TYPE for name, _ in headers):
            reason = "headers: Content-Type is made by the bodyType 'multipart'"
            faults.add_rule(reason, "headers")
        return HttpRequestSettings(
            method=given["method"],
            url=url,
            headers=headers,
            body=body,
            timeout_seconds=read_timeout(data) or DEFAULT_TIMEOUT_SECONDS,
            max_bytes=given["maxBytes"],
            is_each=given["each"],
            kept=MEDIA_TYPES if given["saveAs"] else frozenset(),
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

    def estimate_outputs(
        self,
        settings: HttpRequestSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Outputs:
        if not settings.is_each:
            return {}
        length = longest_list(inputs.get(name) for name in _item_sockets(settings))
        return dict.fromkeys((RESPONSE_OUT, STATUS_OUT), unknown_list(length))

    def bind(
        self,
        settings: HttpRequestSettings,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> HttpRequestSettings:
        kept = settings.kept | media.get(RESPONSE_OUT, frozenset())
        return replace(settings, reads_status=STATUS_OUT in wired, kept=kept)

    async def run(
        self, settings: HttpRequestSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        if not settings.is_each:
            response = await _call(settings, inputs, context)
            return {RESPONSE_OUT: response.value, STATUS_OUT: response.status}
        responses = await _call_each(settings, inputs, context)
        return {
            RESPONSE_OUT: [response.value for response in responses],
            STATUS_OUT: [response.status for response in responses],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedResponse:
    """Value and status of an answer, and the size of its body."""

    value: Any
    status: int
    size: int = 0


async def _call_each(
    settings: HttpRequestSettings, inputs: Mapping[str, Any], context: Context
) -> list[ParsedResponse]:
    """Call for each item; return the answers in order. The first failure stops the others.

    Raises NodeFailed.
    """
    received = 0

    async def call(position: int, item: Mapping[str, Any]) -> ParsedResponse:
        nonlocal received
        try:
            response = await _call(settings, {**inputs, **item}, context)
        except NodeFailed as failure:
            raise _of_item(position, failure) from None
        received += response.size
        if received > MAX_BYTES_TOGETHER:
            message = f"All answers together are larger than {MAX_BYTES_TOGETHER} bytes"
            raise NodeFailed("response_too_large", message)
        return response

    return await run_each(call, _read_items(settings, inputs), CALLS_AT_ONCE)


def _of_item(position: int, failure: NodeFailed) -> NodeFailed:
    """Return the failure of one of several calls, with the number of its item."""
    return NodeFailed(
        failure.code,
        f"Item {position + 1}: {failure.message}",
        retryable=failure.retryable,
        retry_after=failure.retry_after,
        may_have_arrived=failure.may_have_arrived,
    )


async def _call(
    settings: HttpRequestSettings, inputs: Mapping[str, Any], context: Context
) -> ParsedResponse:
    answer = await context.fetch(await _build_call(settings, inputs, context))
    if answer.status >= 400 and not settings.reads_status:
        raise refused(answer)
    content_type = find_medium(answer) if settings.kept and answer.status < 400 else None
    if content_type is not None and SocketType(media_kind_of(content_type)) in settings.kept:
        url = await keep_answer(answer, content_type, context)
        return ParsedResponse(value=url, status=answer.status)
    return ParsedResponse(value=read_answer(answer), status=answer.status, size=len(answer.body))


def _item_sockets(settings: HttpRequestSettings) -> Sequence[str]:
    return (*sorted(settings.names), BODY_IN)


def _read_items(
    settings: HttpRequestSettings, inputs: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the inputs that differ between calls, for each call. Raises NodeFailed."""
    found = {name: inputs.get(name) for name in _item_sockets(settings)}
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    if not lists:
        message = f"'each' needs a list at a placeholder or at '{BODY_IN}'"
        raise NodeFailed("invalid_value", message)
    check_lengths(lists, {name: name for name in lists})
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


async def _build_call(
    settings: HttpRequestSettings, inputs: Mapping[str, Any], context: Context
) -> HttpCall:
    headers = [(name, _header(name, value, inputs)) for name, value in settings.headers]
    url = _url(settings, inputs)
    body, content_type = await make_body(settings.body, inputs, context)
    if content_type and not any(name.lower() == CONTENT_TYPE for name, _ in headers):
        headers.append(("Content-Type", content_type))
    return HttpCall(
        method=settings.method,
        url=url,
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
