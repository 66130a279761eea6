"""Images, videos, sounds and PDFs of model calls: received from providers and sent to them."""

import asyncio
import base64
import binascii
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from msgspec import structs

from engine.errors.nodes import NodeFailed
from engine.media.documents.types import PDF
from engine.media.formats import UNTYPED
from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.http import HttpSection
from engine.models.dialects.openai import OpenAIApi, OpenAISection
from engine.models.manifest import Model
from engine.net.url_policy import URL_REST
from engine.nodes.support.image_edits import ImageData
from engine.values.fields import MAX_URL, MEDIA, FieldType
from workers.providers.answers.errors import bad_response
from workers.providers.base import CallContext, StoredMedia
from workers.providers.input_lengths import MAX_SENT_BYTES, measure
from workers.providers.media_memory import exhausted

WAIT_SECONDS = 300.0
"""Longest wait for memory."""
MAX_SENT_TOGETHER = 52_428_800
"""Most bytes of all media that one call sends as bytes."""
NO_PDF = (
    "The file is no PDF, and models take no other files; the node documentText gives the text of "
    "other documents"
)
SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb".{4}ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb".{4}ftypM4[ABP] ", re.DOTALL), "audio/mp4"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "video/mp4"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "video/webm"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"ID3|\xff[\xe2-\xff]"), "audio/mpeg"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb".{0,1019}?%PDF-", re.DOTALL), PDF),
)
"""First bytes and types of all media that can be sent, whether or not they can be stored here."""
KINDS = {"audio": ("audio/", "video/mp4", "video/webm")}
"""Beginnings of types of a kind: containers of videos may hold a sound alone."""
URL = re.compile("https?" + URL_REST)
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,", re.ASCII)


async def keep_url(value: Any, call: CallContext) -> StoredMedia:
    """Store the medium at a provider's URL, or in a data URL. Raises NodeFailed."""
    if not isinstance(value, str):
        raise bad_response("has no URL where its medium should be")
    match = DATA_URL.match(value)
    if match is not None:
        return await keep_base64(value[match.end() :], match[1], call)
    if len(value) > MAX_URL or not URL.fullmatch(value):
        raise bad_response("has no URL where its medium should be")
    return await call.copy(value)


async def keep_base64(value: Any, content_type: str, call: CallContext) -> StoredMedia:
    """Store base64 data. Raises NodeFailed."""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise bad_response("has no base64 where its medium should be") from None
    if not data:
        raise bad_response("has an empty medium")
    return await call.keep(data, content_type)


async def with_media(
    model: Model, values: Mapping[str, Any], call: CallContext
) -> tuple[Mapping[str, Any], CallContext]:
    """Return the values and the call with media of the account inlined, see `with_own_media`.

    A call of a chat has its media in the messages. Raises NodeFailed.
    """
    chat = call.model_call.chat
    if chat is None:
        return await with_own_media(model, values, call)
    images = [url for message in chat.messages for url in message.files]
    pdfs = [url for message in chat.messages for url in message.documents]
    if not images and not pdfs:
        return values, call
    expected = min(_count_bytes([*images, *pdfs], MAX_SENT_BYTES), call.sending.limit)
    await call.sending.acquire(expected, call.bound(WAIT_SECONDS))
    inlined, bytes_left = await _inline(images, call, call.sending.limit)
    inlined_pdfs, _ = await _inline_pdfs(pdfs, call, bytes_left)
    call.sending.resize(min(_count_bytes([*inlined, *inlined_pdfs], 0), call.sending.limit))
    urls, documents = iter(inlined), iter(inlined_pdfs)
    messages = tuple(
        structs.replace(
            message,
            files=tuple(next(urls) for _ in message.files),
            documents=tuple(next(documents) for _ in message.documents),
        )
        for message in chat.messages
    )
    inner = replace(call.model_call, chat=structs.replace(chat, messages=messages))
    return values, replace(call, model_call=inner)


async def with_own_media(
    model: Model, values: Mapping[str, Any], call: CallContext
) -> tuple[Mapping[str, Any], CallContext]:
    """Return the values with media of the account inlined: providers cannot fetch them here.

    Media that are loaded anyway stay as they are, and have their memory reserved. PDFs of chats
    are inlined wherever they are. Where the price is by the length of sounds and videos, the call
    has it, and foreign ones are inlined too.

    Raises NodeFailed.
    """
    names = [field.name for field in model.fields if field.type in MEDIA]
    media = {name: values[name] for name in names if values.get(name)}
    if not media:
        return values, await measure(model, media, call)
    expected = min(_count_bytes(media.values(), MAX_SENT_BYTES), call.sending.limit)
    await call.sending.acquire(expected, call.bound(WAIT_SECONDS))
    call = await measure(model, media, call)
    loaded, documents = _fields_to_fetch(model), _document_fields(model)
    each = MAX_SENT_BYTES if loaded else 0
    bytes_left, found = call.sending.limit, {name: media[name] for name in loaded if name in media}
    expected = _count_bytes(found.values(), MAX_SENT_BYTES)
    for name, value in media.items():
        if name not in loaded:
            inline = _inline_pdfs if name in documents else _inline
            found[name], bytes_left = await inline(value, call, bytes_left)
            expected += _count_bytes([found[name]], each)
    call.sending.resize(min(expected, call.sending.limit))
    return {**values, **found}, call


async def _inline(value: Any, call: CallContext, bytes_left: int) -> tuple[Any, int]:
    """Return the value with data, and the bytes that are left."""
    if isinstance(value, list):
        inlined = []
        for each in value:
            inlined_item, bytes_left = await _inline(each, call, bytes_left)
            inlined.append(inlined_item)
        return inlined, bytes_left
    data = await call.read(value, MAX_SENT_BYTES) if isinstance(value, str) else None
    if data is not None:
        encoded = await asyncio.to_thread(base64.b64encode, data)
        value = f"data:{content_type_of(data)};base64,{encoded.decode()}"
    bytes_left -= _count_bytes([value], 0)
    if bytes_left < 0:
        raise exhausted(call.sending.limit)
    return value, bytes_left


async def _inline_pdfs(value: Any, call: CallContext, bytes_left: int) -> tuple[list[str], int]:
    """Return PDFs, our own or at other URLs, as data, and the bytes that are left."""
    urls = value if isinstance(value, list) else [value]
    inlined = []
    for pdf in await load_media(urls, FieldType.FILE, call):
        encoded = await asyncio.to_thread(base64.b64encode, pdf.data)
        inlined.append(f"data:{PDF};base64,{encoded.decode()}")
    bytes_left -= _count_bytes(inlined, 0)
    if bytes_left < 0:
        raise exhausted(call.sending.limit)
    return inlined, bytes_left


def _count_bytes(values: Iterable[Any], each: int) -> int:
    """Return the bytes of inlined media; a URL counts as `each`."""
    size = 0
    for value in values:
        if isinstance(value, list):
            size += _count_bytes(value, each)
        elif isinstance(value, str):
            size += len(value) if value.startswith("data:") else each
    return size


def _fields_to_fetch(model: Model) -> Collection[str]:
    """Return the fields whose media `load_media` loads, wherever they are."""
    call = model.call
    if isinstance(call, HttpSection):
        return call.inline
    if isinstance(call, OpenAISection) and call.api is OpenAIApi.TRANSCRIPTION:
        return call.audio.names - call.body.names
    if isinstance(call, OpenAISection) and call.api is OpenAIApi.IMAGES:
        return (call.images.names | call.mask.names) - call.body.names
    return ()


def _document_fields(model: Model) -> Collection[str]:
    """Return the fields whose PDFs are sent as data."""
    call = model.call
    if isinstance(call, AnthropicSection):
        return call.files.names
    is_chat = isinstance(call, OpenAISection) and call.api is OpenAIApi.CHAT
    return cast(OpenAISection, call).files.names if is_chat else ()


async def load_media(urls: Sequence[str], kind: str, call: CallContext) -> list[ImageData]:
    """Load the media at URLs, each of the kind `image`, `video`, `audio` or `file`: a PDF.

    Raises NodeFailed.
    """
    loaded: list[ImageData] = []
    bytes_left = MAX_SENT_TOGETHER
    for url in urls:
        data = await _load(url, call)
        bytes_left -= len(data)
        if len(data) > MAX_SENT_BYTES or bytes_left < 0:
            raise NodeFailed("response_too_large", f"The {kind}s are too large to be sent")
        content_type = content_type_of(data)
        if not _is_of_kind(content_type, kind):
            message = f"What a URL leads to is no {kind} known here"
            raise NodeFailed("invalid_value", NO_PDF if kind == FieldType.FILE else message)
        loaded.append(ImageData(data=data, content_type=content_type))
    return loaded


def _is_of_kind(content_type: str, kind: str) -> bool:
    if kind == FieldType.FILE:
        return content_type == PDF
    return content_type.startswith(KINDS.get(kind, f"{kind}/"))


async def load_sound(url: str, call: CallContext) -> tuple[bytes, str]:
    """Load the sound or video at a URL for a model that runs here, with its content type.

    Raises NodeFailed.
    """
    await call.sending.acquire(MAX_SENT_TOGETHER, call.bound(WAIT_SECONDS))
    data = await _load(url, call, MAX_SENT_TOGETHER)
    if len(data) > MAX_SENT_TOGETHER:
        raise NodeFailed("response_too_large", "The sound is too large to be recognised")
    call.sending.resize(2 * len(data))  # as bytes, and on the way to the child
    return data, content_type_of(data)


def resize_sending(loaded: Iterable[ImageData], call: CallContext) -> None:
    """Reserve memory for exactly these media: as bytes, and in the body."""
    call.sending.resize(2 * sum(len(each.data) for each in loaded))


async def with_data(
    names: Sequence[str], model: Model, values: Mapping[str, Any], call: CallContext
) -> Mapping[str, Any]:
    """Return the values with media of these fields as objects of `type` and base64 `data`.

    Raises NodeFailed.
    """
    kinds = {field.name: field.type for field in model.fields}
    media = [name for name in names if values.get(name)]
    found: dict[str, Any] = {}
    loaded: list[ImageData] = []
    for name in media:
        [medium] = await load_media([_single(name, values[name])], kinds[name], call)
        encoded = await asyncio.to_thread(base64.b64encode, medium.data)
        found[name] = {"type": medium.content_type, "data": encoded.decode()}
        loaded.append(medium)
    if loaded:
        resize_sending(loaded, call)
    return {**values, **found} if found else values


def _single(name: str, value: Any) -> str:
    """Return the only medium of a field. Raises NodeFailed."""
    urls = value if isinstance(value, list) else [value]
    if len(urls) != 1:
        raise NodeFailed("invalid_value", f"'{name}' takes one file here, not {len(urls)}")
    return str(urls[0])


async def _load(url: str, call: CallContext, max_bytes: int = MAX_SENT_BYTES) -> bytes:
    match = split_data_url(url)
    if match is None:
        data = await call.read(url, max_bytes)
        return await call.model_call.fetch_media(url) if data is None else data
    try:
        return await asyncio.to_thread(base64.b64decode, match[1], validate=True)
    except (binascii.Error, ValueError):
        raise NodeFailed("invalid_value", "A medium is given as base64 that is none") from None


def content_type_of(data: bytes) -> str:
    """Return the content type of data by its first bytes."""
    found = (content_type for pattern, content_type in SIGNATURES if pattern.match(data))
    return next(found, UNTYPED)


def split_data_url(url: str) -> tuple[str, str] | None:
    """Return the content type and base64 of a data URL, None for any other."""
    match = DATA_URL.match(url)
    return None if match is None else (match[1], url[match.end() :])


def one_or_all(stored: Sequence[StoredMedia]) -> str | list[str]:
    """Return the URL of a single medium, or the list of several."""
    urls = [each.url for each in stored]
    return urls[0] if len(urls) == 1 else urls
