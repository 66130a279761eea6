"""Bodies of HTTP requests: JSON, text, forms and media, typed or wired."""

import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

import msgspec

from engine.errors.nodes import NodeFailed
from engine.media.documents import types as documents
from engine.media.formats import HEAD_BYTES, UNTYPED, UnfitMedia
from engine.media.headers import read_facts
from engine.media.ids import is_asset_id
from engine.media.inspector import inspect_whole
from engine.nodes.support.base import Context
from engine.nodes.support.settings import Faults, Setting, as_it_is, choice, read_template
from engine.values.plain import kind_of
from engine.values.sockets import MEDIA_TYPES
from engine.values.templates import Template, to_json, to_text

BODY_IN = "body-in"
JSON, TEXT, FORM, MULTIPART, ASSET = BODY_TYPES = ("json", "text", "form", "multipart", "asset")
OF_FIELDS = (FORM, MULTIPART)
MAX_FIELDS = 100
MAX_BODY_BYTES = 104_857_600
TEXT_TYPE = "text/plain; charset=utf-8"
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
EXTENSIONS = {**documents.EXTENSIONS, UNTYPED: "bin"}
"""Extensions of files that differ from the end of their types."""
ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""Escapes of names in the header of a part, as browsers write them."""

Body = tuple[bytes | None, str | None]
"""Bytes and content type; both are None without a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySettings:
    """Typed body: one text, or a text for each field of a form."""

    type: str | None = None
    """One of `BODY_TYPES`; None: JSON if the text is JSON, else text."""
    text: Template | None = None
    fields: tuple[tuple[str, Template], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Names of the sockets whose values go in."""
        return frozenset().union(*(text.names for text in self.templates))

    @property
    def templates(self) -> Sequence[Template]:
        """All templates."""
        return [*(() if self.text is None else (self.text,)), *(text for _, text in self.fields)]


BODY_TYPE = choice(
    "bodyType", "Format of the body; without it, JSON if the body is JSON, else text.", BODY_TYPES
)
BODY = Setting(
    name="body",
    about="The body, a template; for form and multipart also a template for each field.",
    widget="template",
    value={
        "anyOf": [
            {"type": ["string", "null"]},
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"enum": [False, 0, []]},
        ]
    },
    parse=as_it_is,
    is_nullable=False,
)


def parse_body(data: Mapping[str, Any], faults: Faults) -> BodySettings:
    """Read `bodyType` and `body` of a node; add their faults."""
    before = len(faults.found)
    kind, body = BODY_TYPE.read(data, faults), BODY.read(data, faults)
    if len(faults.found) > before:
        listed = body.values() if isinstance(body, dict) else (body,)
        named = tuple(("", Template.sketch(text)) for text in listed if isinstance(text, str))
        return BodySettings(fields=named)
    if not body:
        return BodySettings(type=kind)
    if isinstance(body, dict) and kind in OF_FIELDS:
        if len(body) > MAX_FIELDS:
            faults.add_rule(f"body must have at most {MAX_FIELDS} fields", "body")
            return BodySettings(type=kind)
        texts = (
            (name, read_template(f"body: {name}", text, faults, field=f"body.{name}"))
            for name, text in body.items()
        )
        return BodySettings(type=kind, fields=tuple(texts))
    if isinstance(body, dict):
        faults.add_rule("body: must be a text", "body")
        return BodySettings(type=kind)
    return BodySettings(type=kind, text=read_template("body", body, faults))


async def make_body(settings: BodySettings, inputs: Mapping[str, Any], context: Context) -> Body:
    """Build the body of one call. Raises NodeFailed."""
    if settings.type in OF_FIELDS:
        fields = _read_fields(settings, inputs, context)
        if fields is None:
            return None, None
        if settings.type == FORM:
            pairs = [(item.name, to_text(item.value)) for item in fields]
            return urlencode(pairs).encode(), FORM_TYPE
        return await _make_multipart(fields, context)
    value = inputs[BODY_IN] if BODY_IN in inputs else _render(settings, inputs)
    if value is None:
        return None, None
    if settings.type == ASSET:
        names = (BODY_IN,) if BODY_IN in inputs else settings.names
        return await _load(value, context, is_named=_are_fixed(names, context))
    text = value if isinstance(value, str) else to_json(value)
    is_json = not isinstance(value, str) or _is_json(text, any_value=settings.type == JSON)
    if settings.type == JSON and not is_json:
        raise NodeFailed("invalid_value", "The body is not JSON, as bodyType says that it is")
    return text.encode(), JSON_TYPE if is_json and settings.type != TEXT else TEXT_TYPE


def _render(settings: BodySettings, inputs: Mapping[str, Any]) -> str | None:
    return None if settings.text is None else settings.text.render(inputs)


def _is_json(text: str, *, any_value: bool) -> bool:
    if not any_value and not text.lstrip().startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


class Item(NamedTuple):
    """Item of a form's field."""

    name: str
    value: Any
    is_file: bool = False
    """The value is a medium."""
    is_named: bool = False
    """The document names the medium."""


Fields = Sequence[Item]


def _are_fixed(names: Collection[str], context: Context) -> bool:
    """Return whether the values at these sockets follow from the document alone."""
    return all(wire.is_fixed for wire, _ in context.delivered if wire.socket in names)


def _read_fields(
    settings: BodySettings, inputs: Mapping[str, Any], context: Context
) -> Fields | None:
    """Return the fields of a form; None: no body."""
    if BODY_IN not in inputs and settings.fields:
        files = {wire.socket for wire, _ in context.delivered if wire.type in MEDIA_TYPES}
        return [
            item._replace(is_named=item.is_file and _are_fixed(text.names, context))
            for name, text in settings.fields
            for item in _read_field(name, text, inputs, files)
        ]
    value = inputs[BODY_IN] if BODY_IN in inputs else _render(settings, inputs)
    if isinstance(value, str):
        value = _decode(value)
    if value is None:
        return None
    if not isinstance(value, dict):
        message = f"A body of the type {settings.type} takes an object, not {kind_of(value)}"
        raise NodeFailed("invalid_value", message)
    return [Item(name, each) for name, item in value.items() for each in _items(item)]


def _decode(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _read_field(
    name: str, text: Template, inputs: Mapping[str, Any], files: set[str]
) -> Iterator[Item]:
    """Yield the items of one field; a single placeholder gives its value unchanged."""
    part = text.parts[0] if len(text.parts) == 1 else ""
    if isinstance(part, str):
        yield Item(name, text.render(inputs))
        return
    is_file = part.name in files and not part.path
    for value in _items(part.read(inputs)):
        yield Item(name, value, is_file)


def _items(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if item is not None]


async def _make_multipart(fields: Fields, context: Context) -> Body:
    boundary = f"headrace-{secrets.token_hex(16)}"
    parts, size = [], 0
    async for head, data in _parts(fields, context):
        size += len(data)
        if size > MAX_BODY_BYTES:
            raise NodeFailed("invalid_value", f"The body has over {MAX_BODY_BYTES} bytes")
        parts += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), data, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


async def _parts(fields: Fields, context: Context) -> AsyncIterator[tuple[str, bytes]]:
    for item in fields:
        head = f'Content-Disposition: form-data; name="{item.name.translate(ESCAPES)}"'
        if not item.is_file:
            yield head, to_text(item.value).encode()
            continue
        data, kind = await _load(item.value, context, is_named=item.is_named)
        extension = EXTENSIONS.get(kind, kind.partition("/")[2])
        yield f'{head}; filename="file.{extension}"\r\nContent-Type: {kind}', data


async def _load(value: Any, context: Context, *, is_named: bool) -> tuple[bytes, str]:
    """Return bytes and content type of a medium, by its URL or asset id."""
    if not isinstance(value, str):
        message = f"A medium is named by its URL or the id of an asset, not by {kind_of(value)}"
        raise NodeFailed("invalid_value", message)
    if is_asset_id(value):
        _, value = await context.use_asset(value, is_named=is_named)
    data = await context.fetch_media(value)
    return data, await context.stored_type(value) or _find_type(data, value)


def _find_type(data: bytes, url: str) -> str:
    """Return the type of the file at a foreign URL, which may name a text."""
    try:
        return read_facts(data[:HEAD_BYTES]).content_type
    except UnfitMedia:
        name = unquote(urlsplit(url).path.rpartition("/")[2])
    try:
        return inspect_whole(data, UNTYPED, name).content_type
    except UnfitMedia:
        return UNTYPED
