"""Members of chat sections, with defaults from the fields of the same names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from engine.models.calls.body_templates import Body
from engine.models.tables.table_reader import ManifestContext, TableReader
from engine.values.fields import FieldType
from engine.values.templates import to_text

PROMPT = ("prompt",)
"""Fields with the prompt: the first that a model has."""
CHAT_MEMBERS = ("model", "prompt", "system", "images", "files", "schema", "body", "stream", "tools")


def read_chat_members(
    reader: TableReader,
    context: ManifestContext,
    prompt: Sequence[str] = PROMPT,
    *,
    excluded: frozenset[str] = frozenset(),
) -> dict[str, str | bool | Body]:
    """Return the members of a chat section; each defaults to the field of its name.

    `excluded` fields are sent separately, so they are no images and files by default.
    """
    names = context.names or frozenset()
    fields = [each for each in context.fields or () if each.name not in excluded]
    images = [placeholder(each.name) for each in fields if each.type is FieldType.IMAGE]
    files = [placeholder(each.name) for each in fields if each.type is FieldType.FILE]
    return {
        "model": reader.text("model"),
        "prompt": reader.body("prompt", _field(*prompt, names=names)),
        "system": reader.body("system", _field("system", names=names)),
        "images": reader.body("images", images),
        "files": reader.body("files", files),
        "schema": reader.body("schema", _field("jsonSchema", names=names)),
        "body": reader.body("body"),
        "stream": reader.flag("stream", default=True),
        "tools": reader.flag("tools", default=True),
    }


def _field(*wanted: str, names: frozenset[str]) -> str | list[str]:
    """Return a placeholder for the first existing field, else a value that fills to nothing."""
    found = next((name for name in wanted if name in names), None)
    return [] if found is None else placeholder(found)


def placeholder(name: str) -> str:
    """Return a template with the value of a field."""
    return f"{{{{ {name} }}}}"


def filled_texts(parts: Iterable[Body], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the parts of a request as texts, with the values put in. Raises NodeFailed."""
    for part in parts:
        yield to_text(part.fill(values))
