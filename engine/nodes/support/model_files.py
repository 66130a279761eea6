"""Files of model calls: PDFs as they are for models that take them, all else as text."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import DOCUMENT_UNREADABLE, NodeFailed
from engine.media.documents.types import PDF
from engine.models.calls.call_checks import MAX_FILES
from engine.models.manifest import Model
from engine.nodes.support.base import Context
from engine.nodes.support.documents import DocumentText
from engine.nodes.support.fan_out import CALLS_AT_ONCE, check_values
from engine.nodes.support.list_mapping import run_each
from engine.nodes.support.model_calls import PROMPT, ModelCalls
from engine.values.fields import FieldType
from engine.values.sockets import Socket, SocketType

FILE_IN = "file-in"
FILE = "file"
"""Field of models that take PDFs."""
FILE_SOCKET = Socket(type=SocketType.FILE, many=True)
READ_AT_ONCE = 4
MAX_CHARACTERS = 10_000_000
"""Most characters of the texts of all files of a call, more than any model takes."""
TOO_LONG = f"The texts of the files have over {MAX_CHARACTERS:,} characters together"
NO_TEXT = "The document has no text: its pages are pictures, which a model that takes PDFs may read"
END_MARK = re.compile(r"<(?=\s*/\s*document\b)", re.IGNORECASE)
"""Beginning of the mark that ends a document, which a text must not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFiles:
    """Files of a call."""

    pdfs: tuple[str, ...]
    """Links of those that go to the model as they are."""
    text: str
    """Texts of all others, each within marks; it comes before the prompt."""


def links_at(inputs: Mapping[str, Any]) -> list[str]:
    """Return the links at `file-in`, in order. Raises NodeFailed."""
    links = [*_values_at(inputs)]
    if not all(isinstance(link, str) for link in links):
        raise NodeFailed("invalid_value", f"'{FILE_IN}' takes links of files")
    return links


def without_files(
    inputs: Mapping[str, Any], unknown: Collection[str]
) -> tuple[Mapping[str, Any], Collection[str]]:
    """Return the inputs of an estimate without files, and the unknown sockets with theirs.

    The number of tokens of a file is not known before the call.
    """
    has_files = FILE_IN in unknown or any(True for _ in _values_at(inputs))
    rest = {name: value for name, value in inputs.items() if name != FILE_IN}
    return rest, {*unknown, FILE_IN} if has_files else unknown


def takes_pdfs(model: Model) -> bool:
    """Return whether PDFs go to the model as they are."""
    return any(each.name == FILE and each.type is FieldType.FILE for each in model.fields)


async def ask_with_files(calls: ModelCalls, links: Sequence[str], context: Context) -> list[Any]:
    """Make the calls, each with all of these files; return the answers in order.

    The files are charged within what is reserved for the calls without them. Raises NodeFailed.
    """
    model, texts = calls.model, [str(each.get(PROMPT) or "") for each in calls.values]
    files = await read_files(links, context, as_text=not takes_pdfs(model))
    for text in texts:
        check_prompt(model, len(text), len(files.text))

    async def ask(position: int, values: Mapping[str, Any]) -> Any:
        # The prompts are put together call by call: each has the text of all files.
        most = model.max_usage(values, is_partial=True)
        added = _with_files(values, texts[position], files)
        return await context.call_model(model, check_values(model, added), position, most=most)

    return await run_each(ask, calls.values, CALLS_AT_ONCE, context.is_final)


async def read_files(links: Sequence[str], context: Context, *, as_text: bool) -> ReadFiles:
    """Read those files that are no PDFs, or all with `as_text`. Raises NodeFailed."""
    check_count(links)
    marked = MarkedTexts()

    async def read(position: int, link: str) -> str:
        if not as_text and await context.file_type(link) == PDF:
            return ""
        return marked.add(position + 1, await context.read_document(link))

    texts = await run_each(read, links, READ_AT_ONCE)
    pdfs = (link for link, text in zip(links, texts, strict=True) if not text)
    return ReadFiles(pdfs=tuple(pdfs), text="".join(texts))


def check_count(links: Sequence[str]) -> None:
    """Raise NodeFailed for too many files."""
    if len(links) > MAX_FILES:
        message = f"'{FILE_IN}' takes at most {MAX_FILES} files, not {len(links)}"
        raise NodeFailed("invalid_value", message)


class MarkedTexts:
    """Puts texts of files within marks, up to a number of characters together."""

    def __init__(self) -> None:
        self._left = MAX_CHARACTERS

    def add(self, number: int, document: DocumentText) -> str:
        """Return the text of a document as a part of a prompt. Raises NodeFailed."""
        self._take(sum(map(len, document.pages)))  # before a long text is copied
        text = document.text
        if document.content_type == PDF and not text.strip():
            raise NodeFailed(DOCUMENT_UNREADABLE, NO_TEXT)
        marked = f'<document index="{number}">\n{END_MARK.sub("&lt;", text)}\n</document>\n\n'
        self._take(len(marked) - sum(map(len, document.pages)))
        return marked

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise NodeFailed("invalid_value", TOO_LONG)


def with_text(model: Model, prompt: str, text: str) -> str:
    """Return a prompt of the model with the text of its files before it. Raises NodeFailed."""
    check_prompt(model, len(prompt), len(text))
    return text + prompt


def check_prompt(model: Model, size: int, added: int) -> None:
    """Raise NodeFailed if a prompt has no room for the text of files; sizes are in characters."""
    if not added:
        return
    field = next((each for each in model.fields if each.name == PROMPT), None)
    if field is None:
        reason = f"The model '{model.internal_name}' has no '{PROMPT}' for the text of files"
        raise NodeFailed("invalid_value", reason)
    whole, most = size + added, field.max_length
    if most is not None and whole > most:
        message = f"'{PROMPT}' has {whole} characters with the text of its files, at most {most}"
        raise NodeFailed("invalid_value", f"{message} are allowed")


def _values_at(inputs: Mapping[str, Any]) -> Iterator[Any]:
    for value in _listed(inputs.get(FILE_IN)):
        yield from (each for each in _listed(value) if each is not None)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _with_files(values: Mapping[str, Any], prompt: str, files: ReadFiles) -> dict[str, Any]:
    added = dict(values)
    if files.text:
        added[PROMPT] = files.text + prompt
    if files.pdfs:
        added[FILE] = list(files.pdfs)
    return added
