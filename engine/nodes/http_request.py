"""HTTP Request: outbound calls built from templates."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from msgspec import Struct

from engine.access.opened_secrets import NO_SECRETS, OpenedSecrets
from engine.errors.nodes import FilesMustWait, NodeFailed
from engine.ids.secret_names import PREFIX
from engine.media.documents.types import TEXTS
from engine.media.formats import media_kind_of
from engine.net.header_policy import header_fault
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import (
    NO_MEDIA,
    Context,
    HttpAnswer,
    HttpCall,
    NodeType,
    Outputs,
    SecretName,
    WorkKind,
)
from engine.nodes.support.fan_out import CALLS_AT_ONCE, check_lengths, longest_list, unknown_list
from engine.nodes.support.http_answer import find_medium, keep_answer, read_answer, refused
from engine.nodes.support.http_body import BODY_IN, make_body
from engine.nodes.support.http_settings import (
    CONTENT_TYPE,
    MEMBERS,
    HttpRequestSettings,
    read_fixed_host,
    read_http_settings,
    read_secret_uses,
)
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.settings import Faults
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType
from engine.values.templates import members_read, placeholder_names, to_text

T = TypeVar("T")

PARAMS_IN = "params-in"
RESPONSE_OUT = "response-out"
STATUS_OUT = "status-out"

MAX_BYTES_TOGETHER = 104_857_600
"""Limit of all answers of a node with `each`."""
LARGE_ANSWER = 65_536
"""Bytes in which a search for secrets would hold up other nodes."""
MAX_HEADER = 8_192
MAX_REDIRECTS = 3


class HttpRequest(NodeType):
    """Calls a URL and outputs the answer, parsed if it is JSON."""

    type = "httpRequest"
    category = "Utilities"
    label = "HTTP Request"
    description = "Calls a URL and outputs the answer, parsed if it is JSON."
    kind = WorkKind.IO
    is_dynamic = True
    members = MEMBERS

    def read(self, data: Mapping[str, Any], faults: Faults) -> HttpRequestSettings:
        return read_http_settings(data, faults)

    def inputs(self, settings: HttpRequestSettings) -> Mapping[str, Socket]:
        optional = {name: Socket(type=SocketType.ANY) for name in (BODY_IN, PARAMS_IN)}
        placeholder = Socket(type=SocketType.ANY, required=True)
        return optional | dict.fromkeys(placeholder_names(settings.templates), placeholder)

    def outputs(self, settings: HttpRequestSettings) -> Mapping[str, Socket]:
        return {name: Socket(type=SocketType.ANY) for name in (RESPONSE_OUT, STATUS_OUT)}

    def fixed_url(self, settings: HttpRequestSettings) -> str | None:
        return settings.fixed_url

    def secret_uses(self, data: Mapping[str, Any]) -> Iterable[SecretName]:
        uses = read_secret_uses(data)
        host = read_fixed_host(data) if uses else None
        return [SecretName(field, name, host) for field, name in uses]

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
        needs_file = SocketType.FILE in media.get(RESPONSE_OUT, ())
        is_read = STATUS_OUT in wired
        return replace(settings, reads_status=is_read, kept=kept, needs_file=needs_file)

    async def run(
        self, settings: HttpRequestSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        names = settings.secrets
        secrets = await context.open_secrets(names) if names else NO_SECRETS
        if not settings.is_each:
            answer = await context.fetch(await _build_call(settings, inputs, secrets, context))
            response = await _parse(answer, settings, secrets, context)
            return {RESPONSE_OUT: response.value, STATUS_OUT: response.status}
        responses = await _call_each(settings, inputs, secrets, context)
        return {
            RESPONSE_OUT: [response.value for response in responses],
            STATUS_OUT: [response.status for response in responses],
        }


class ParsedResponse(Struct, frozen=True, kw_only=True):
    """Value and status of an answer, and the size of its body."""

    value: Any
    status: int
    size: int = 0


async def _call_each(
    settings: HttpRequestSettings,
    inputs: Mapping[str, Any],
    secrets: OpenedSecrets,
    context: Context,
) -> list[ParsedResponse]:
    """Call for each item; return the answers in order. The first failure stops the others.

    Raises NodeFailed.
    """
    received = 0

    async def call(position: int, item: Mapping[str, Any]) -> ParsedResponse:
        nonlocal received
        try:
            response = await _call(settings, {**inputs, **item}, secrets, context)
        except NodeFailed as failure:
            raise failure.with_message(f"Item {position + 1}: {failure.message}") from None
        received += response.size
        if received > MAX_BYTES_TOGETHER:
            message = f"All answers together are larger than {MAX_BYTES_TOGETHER} bytes"
            raise NodeFailed("response_too_large", message)
        return response

    return await run_each(call, _read_items(settings, inputs), CALLS_AT_ONCE)


async def _call(
    settings: HttpRequestSettings,
    inputs: Mapping[str, Any],
    secrets: OpenedSecrets,
    context: Context,
) -> ParsedResponse:
    answer = await context.fetch(await _build_call(settings, inputs, secrets, context))
    return await _parse(answer, settings, secrets, context)


async def _parse(
    answer: HttpAnswer, settings: HttpRequestSettings, secrets: OpenedSecrets, context: Context
) -> ParsedResponse:
    if answer.status >= 400 and not settings.reads_status:
        raise await _redact(answer, secrets, refused, answer, secrets)
    url = await _keep(answer, settings, secrets, context)
    if url is not None:
        return ParsedResponse(value=url, status=answer.status)
    value = read_answer(answer)
    if secrets.values:
        value = await _redact(answer, secrets, secrets.redact, value)
    return ParsedResponse(value=value, status=answer.status, size=len(answer.body))


async def _keep(
    answer: HttpAnswer, settings: HttpRequestSettings, secrets: OpenedSecrets, context: Context
) -> str | None:
    """Return the URL of an answer that became an asset; None: it stays a value."""
    content_type = find_medium(answer) if settings.kept and answer.status < 400 else None
    if content_type is None or SocketType(media_kind_of(content_type)) not in settings.kept:
        return None
    if content_type in TEXTS and not settings.needs_file:
        return None  # JSON and texts are values by themselves, as they were before files
    if secrets.is_in_bytes(answer.body):
        raise NodeFailed("secret_exposed", "The medium in the answer has a secret in it")
    try:
        return await keep_answer(answer, content_type, context)
    except FilesMustWait:
        if settings.needs_file:
            raise
        return None  # as the release before does, beside which this one runs


async def _redact(
    answer: HttpAnswer, secrets: OpenedSecrets, work: Callable[..., T], *args: Any
) -> T:
    """Do the work on an answer; in a thread if a large one may have secrets."""
    if secrets.values and len(answer.body) > LARGE_ANSWER:
        return await asyncio.to_thread(work, *args)
    return work(*args)


def _item_sockets(settings: HttpRequestSettings) -> Sequence[str]:
    return (*placeholder_names(settings.templates), BODY_IN)


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
    settings: HttpRequestSettings,
    inputs: Mapping[str, Any],
    secrets: OpenedSecrets,
    context: Context,
) -> HttpCall:
    values = inputs
    if secrets.values:
        opened = {f"{PREFIX}{name}": value for name, value in secrets.values.items()}
        values = {**inputs, **opened}
    texts = [(name, text, text.render(values)) for name, text in settings.headers]
    headers = [(name, _header(name, value, bool(text.secrets))) for name, text, value in texts]
    if settings.auth:
        value = settings.auth.value(secrets)
        headers.append((settings.auth.header, _header(settings.auth.header, value, True)))
    url = _url(settings, values, secrets)
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
        secrets=secrets,
    )


def _header(name: str, text: str, is_secret: bool) -> str:
    text = text.strip(" \t")
    if header_fault(name, text) or len(text) > MAX_HEADER:
        message = f"The header '{name}' has a control character or over {MAX_HEADER} characters"
        raise NodeFailed("secret_invalid" if is_secret else "template_error", message)
    return text


def _url(settings: HttpRequestSettings, values: Mapping[str, Any], secrets: OpenedSecrets) -> str:
    url = settings.url.render_url(values).strip(" \t\r\n")
    params = values.get(PARAMS_IN)
    try:
        target = check_url(url, allow_private=True)
        if params is not None:
            url = _merge_query(url, params)
            target = check_url(url, allow_private=True)
    except UrlRefused as error:
        raise NodeFailed("url_blocked", str(error)) from None
    secrets.check_host(target.host)
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
