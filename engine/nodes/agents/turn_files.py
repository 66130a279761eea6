"""Files of an agent's turn: images stay images, PDFs go to models that take them, all else as text.

The messages of an agent have the links of all its files; each turn finds out what these are.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec.structs import replace

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.media.formats import MediaKind, media_kind_of
from engine.models.calls.chat import Chat, ChatMessage
from engine.models.manifest import Model
from engine.nodes.support.base import Context
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.model_calls import IMAGE_INLET
from engine.nodes.support.model_files import FILE_IN, READ_AT_ONCE, check_count, read_files

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif")
NO_IMAGES = "The model takes no images"


def may_have_documents(chat: Chat) -> bool:
    """Return whether a chat may have files other than images, as far as their links tell."""
    return any(not _is_named_image(link) for link in _links(chat))


async def with_documents(chat: Chat, model: Model, context: Context) -> Chat:
    """Return the chat with images alone as files of its messages, as the model takes them.

    PDFs become documents of their message, and texts of others come before its text. Raises
    NodeFailed.
    """
    links = [*dict.fromkeys(_links(chat))]
    if not links:
        return chat

    async def is_image(_: int, link: str) -> bool:
        return _is_named_image(link) or await _is_image(link, context)

    found = await run_each(is_image, links, READ_AT_ONCE)
    images = frozenset(link for link, is_one in zip(links, found, strict=True) if is_one)
    if images and IMAGE_INLET.field(model) is None:
        raise NodeFailed("invalid_value", NO_IMAGES)
    documents = [link for link in links if link not in images]
    if not documents:
        return chat
    check_count(documents)
    messages = [await _sorted(each, images, model, context) for each in chat.messages]
    return replace(chat, messages=tuple(messages))


def with_images_alone(chat: Chat, whole: Chat) -> Chat:
    """Return a chat with those of its files that are images in the chat for its model."""
    pairs = zip(chat.messages, whole.messages, strict=True)
    return replace(chat, messages=tuple(replace(one, files=other.files) for one, other in pairs))


async def _sorted(
    message: ChatMessage, images: frozenset[str], model: Model, context: Context
) -> ChatMessage:
    links = [link for link in message.files if link not in images]
    if not links:
        return message
    read = await read_files(links, context, as_text=not model.takes_documents)
    return replace(
        message,
        text=read.text + message.text,
        files=tuple(link for link in message.files if link in images),
        documents=read.pdfs,
    )


async def _is_image(link: str, context: Context) -> bool:
    stored = await context.stored_type(link)
    if stored is not None:
        _require_image_or_document(stored)
        return stored.startswith("image/")
    try:
        return (await context.file_type(link)).startswith("image/")
    except NodeFailed as failure:
        if failure.code != DOCUMENT_UNREADABLE:
            raise
        return True


def _require_image_or_document(content_type: str) -> None:
    if media_kind_of(content_type) not in (MediaKind.IMAGE, MediaKind.FILE):
        message = f"'{FILE_IN}' takes images and documents, and an asset there is {content_type}"
        raise NodeFailed("invalid_value", message)


def _links(chat: Chat) -> Iterator[str]:
    for message in chat.messages:
        yield from message.files


def _is_named_image(link: str) -> bool:
    try:
        return urlsplit(link).path.lower().endswith(IMAGE_ENDINGS)
    except ValueError:
        return False
