"""Document Text: texts and tables of documents."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.nodes import image_text
from engine.nodes.support.base import NO_MEDIA, Context, NodeType, Outputs, WorkKind
from engine.nodes.support.documents import (
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_PAGES,
    USUAL_PAGES,
    DocumentOptions,
    DocumentText,
)
from engine.nodes.support.fan_out import longest_list, unknown_list
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.settings import Faults, choice, whole
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType

FILE_IN = "file-in"
TEXT_OUT, PAGES_OUT, TABLES_OUT = "text-out", "pages-out", "tables-out"
MAX_DOCUMENTS = 100
DOCUMENTS_AT_ONCE = 2


class OcrMode(StrEnum):
    """Treatment of pages without a text."""

    NEVER = "never"
    AUTO = "auto"


MAX_PAGES_SETTING = whole(
    "maxPages",
    "Most pages of a document; one with more fails the node.",
    1,
    MAX_PAGES,
    default=USUAL_PAGES,
)
OCR = choice(
    "ocr",
    "Reads pages without a text as pictures (auto), by a model that runs here, or never.",
    list(OcrMode),
    default=OcrMode.NEVER,
    title="OCR",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTextSettings:
    """Options of reading."""

    options: DocumentOptions
    wired: frozenset[str] = frozenset()
    """Outputs with edges; the others are left out, since they repeat a text that may be long."""


class DocumentTextNode(NodeType):
    """Outputs the text of a document, or of each in a list, and all their pages and tables."""

    type = "documentText"
    category = "Utilities"
    label = "Document Text"
    description = "Reads the text, the pages and the tables of documents."
    kind = WorkKind.CPU
    members = (MAX_PAGES_SETTING, OCR)

    def read(self, data: Mapping[str, Any], faults: Faults) -> DocumentTextSettings:
        max_pages = MAX_PAGES_SETTING.read(data, faults)
        reads_pictures = OCR.read(data, faults) == OcrMode.AUTO
        if reads_pictures and not image_text.is_installed():
            faults.add_rule(f"ocr: {image_text.MISSING}", OCR.name)
        return DocumentTextSettings(
            options=DocumentOptions(max_pages=max_pages, reads_pictures=reads_pictures)
        )

    def inputs(self, settings: DocumentTextSettings) -> Mapping[str, Socket]:
        return {FILE_IN: Socket(type=SocketType.FILE, required=True)}

    def outputs(self, settings: DocumentTextSettings) -> Mapping[str, Socket]:
        lists = Socket(type=SocketType.ANY)
        return {TEXT_OUT: Socket(type=SocketType.TEXT), PAGES_OUT: lists, TABLES_OUT: lists}

    def bind(
        self,
        settings: DocumentTextSettings,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> DocumentTextSettings:
        return replace(settings, wired=wired)

    def estimate_outputs(
        self,
        settings: DocumentTextSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Outputs:
        return {TEXT_OUT: unknown_list(longest_list([inputs.get(FILE_IN)]))}

    async def run(
        self, settings: DocumentTextSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        given, options = inputs.get(FILE_IN), settings.options
        if not isinstance(given, list):
            contents = await _read(given, options, context)
            return _outputs(settings, contents.text, [contents])
        if len(given) > MAX_DOCUMENTS:
            message = f"A list of documents has at most {MAX_DOCUMENTS} items, not {len(given)}"
            raise NodeFailed("invalid_value", message)
        room = _Room()

        async def work(position: int, url: Any) -> DocumentText:
            contents = await _read(url, options, context, f"Item {position + 1}: ")
            room.take(contents)
            return contents

        documents = await run_each(work, given, DOCUMENTS_AT_ONCE)
        return _outputs(settings, [each.text for each in documents], documents)


class _Room:
    """Counts what a list of documents has, and fails before it fills the memory."""

    def __init__(self) -> None:
        self._characters = MAX_CHARACTERS
        self._cells = MAX_CELLS

    def take(self, document: DocumentText) -> None:
        """Count a document. Raises NodeFailed."""
        self._characters -= sum(map(len, document.pages))
        self._cells -= sum(len(row) for table in document.tables for row in table)
        if min(self._characters, self._cells) < 0:
            message = (
                f"The documents of the list have more than {MAX_CHARACTERS:,} characters or "
                f"{MAX_CELLS:,} cells together"
            )
            raise NodeFailed(DOCUMENT_UNREADABLE, message)


def _outputs(
    settings: DocumentTextSettings, text: Any, documents: Sequence[DocumentText]
) -> Outputs:
    outputs: dict[str, Any] = {TEXT_OUT: text}
    if not settings.wired or PAGES_OUT in settings.wired:
        outputs[PAGES_OUT] = [page for each in documents for page in each.pages]
    if not settings.wired or TABLES_OUT in settings.wired:
        outputs[TABLES_OUT] = [table for each in documents for table in each.tables]
    return outputs


async def _read(
    url: Any, options: DocumentOptions, context: Context, where: str = ""
) -> DocumentText:
    if not isinstance(url, str):
        message = f"{where}'{FILE_IN}' takes the URL of a document, not {kind_of(url)}"
        raise NodeFailed("invalid_value", message)
    try:
        return await context.read_document(url, options)
    except NodeFailed as failure:
        raise failure.with_message(where + failure.message) from None
