"""Documents: the saved form of a workflow, including the data of the canvas."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

import msgspec

from engine.errors import InvalidBody
from engine.media.ids import PATTERN as ASSET_ID
from engine.net.url_policy import URL_REST
from engine.values.plain import fault, is_text, kind_of

MAX_NAME = 200
MAX_DESCRIPTION = 10_000
MAX_TAGS = 50
MAX_TAG = 64
MAX_REFERENCE = 2_048
"""Length of a folder's id or a cover's URL."""
MAX_EDITOR_BYTES = 65_536
"""Most bytes of `editor` as compact JSON."""
COVER = re.compile(f"(?:{ASSET_ID}|https{URL_REST})")
"""Id of an asset, or URL that a page may load."""


def _start_viewport() -> dict[str, float]:
    return {"x": 0, "y": 0, "zoom": 1}


class RecordValues(StrEnum):
    """Executions whose inputs, and inputs and outputs of nodes, are kept after their end."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Well-formed document; its graph may still have problems."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    viewport: dict[str, float] = field(default_factory=_start_viewport)
    public_playground: bool = False
    is_template: bool = False
    folder_id: str | None = None
    hidden: bool = False
    archived: bool = False
    cover: str | None = None
    record_values: RecordValues = RecordValues.ALL
    editor: dict[str, Any] = field(default_factory=dict)
    """Data of the canvas, opaque to runs."""
    later: dict[str, Any] = field(default_factory=dict)
    """Members that a later release has written to the record; saves keep them."""


def parse_document(body: Mapping[str, Any], base: Document | None = None) -> Document:
    """Parse a body; omitted members keep the values of `base`. Raises InvalidBody."""
    if base is None and body.get("name") is None:
        raise InvalidBody("A workflow needs a name", field="name")
    changes = {
        attribute: read(member, body[member])
        for member, (attribute, read) in MEMBERS.items()
        if member in body
    }
    if base is None:
        return Document(**changes)
    return replace(base, **changes)


def is_draft(body: Mapping[str, Any]) -> bool:
    """Return whether the body is for the draft of its workflow. Raises InvalidBody."""
    return _read_flag("draft", body.get("draft", False))


def parse_graph_members(
    body: Mapping[str, Any],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the nodes and the edges of a body, in a document's format. Raises InvalidBody."""
    return _read_nodes("nodes", body.get("nodes")), _read_edges("edges", body.get("edges"))


def to_record(document: Document) -> dict[str, Any]:
    """Return the document as plain values, for the store."""
    record = {each.name: getattr(document, each.name) for each in fields(document)}
    plain = {"tags": list(document.tags), "record_values": document.record_values.value}
    later: dict[str, Any] = record.pop("later")
    return later | record | plain


def from_record(record: Mapping[str, Any]) -> Document:
    """Return the document of a record, with members of later releases as they are."""
    names = {each.name for each in fields(Document)} - {"later"}
    members: dict[str, Any] = {"later": {}}
    for name, value in record.items():
        (members if name in names else members["later"])[name] = value
    members["record_values"] = _parse_record_values(record["record_values"])
    return Document(**{**members, "tags": tuple(record["tags"])})


def _parse_record_values(text: str) -> RecordValues:
    """Return the choice of a record; NONE, the least, for one of a later release."""
    return RecordValues(text) if text in tuple(RecordValues) else RecordValues.NONE


def _refuse(member: str, expected: str, value: object) -> InvalidBody:
    return InvalidBody(f"'{member}' must be {expected}, not {kind_of(value)}", field=member)


def _read_text(member: str, value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise _refuse(member, "a text", value)
    if len(value) > limit or not is_text(value):
        raise InvalidBody(
            f"'{member}' must be valid text of at most {limit} characters", field=member
        )
    return value


def _read_name(member: str, value: object) -> str:
    name = _read_text(member, value, MAX_NAME)
    if not name:
        raise InvalidBody("A workflow needs a name", field=member)
    return name


def _read_description(member: str, value: object) -> str:
    return "" if value is None else _read_text(member, value, MAX_DESCRIPTION)


def _read_reference(member: str, value: object) -> str | None:
    return None if value is None else _read_text(member, value, MAX_REFERENCE)


def _read_cover(member: str, value: object) -> str | None:
    cover = _read_reference(member, value)
    if cover is None or _is_cover(cover):
        return cover
    raise InvalidBody(
        f"'{member}' must be the id of an asset or a URL that starts with https://", field=member
    )


def _is_cover(value: object) -> bool:
    return isinstance(value, str) and COVER.fullmatch(value) is not None


def _read_editor(member: str, value: object) -> dict[str, Any]:
    editor = {} if value is None else _read_object(member, value)
    reason = fault(editor)
    if not reason and len(msgspec.json.encode(editor)) > MAX_EDITOR_BYTES:
        reason = f"must be at most {MAX_EDITOR_BYTES:,} bytes of JSON"
    if reason:
        raise InvalidBody(f"'{member}' {reason}", field=member)
    return editor


def _read_flag(member: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(member, "true or false", value)
    return value


def _read_record_values(member: str, value: object) -> RecordValues:
    if isinstance(value, str) and value in tuple(RecordValues):
        return RecordValues(value)
    raise InvalidBody(f"'{member}' must be one of {', '.join(RecordValues)}", field=member)


def _read_tags(member: str, value: object) -> tuple[str, ...]:
    tags = _read_list(member, [] if value is None else value)
    if len(tags) > MAX_TAGS:
        raise InvalidBody(f"'{member}' must have at most {MAX_TAGS} entries", field=member)
    return tuple(_read_text(f"{member}[{i}]", tag, MAX_TAG) for i, tag in enumerate(tags))


def _read_list(member: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _refuse(member, "a list", value)
    return value


def _read_object(member: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refuse(member, "an object", value)
    return value


def _read_number(member: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refuse(member, "a number", value)
    if fault(value):
        raise InvalidBody(f"'{member}' {fault(value)}", field=member)
    return value


def _read_nodes(member: str, value: object) -> list[dict[str, Any]]:
    return [_read_node(f"{member}[{i}]", node) for i, node in enumerate(_read_list(member, value))]


def _read_node(member: str, value: object) -> dict[str, Any]:
    node = _read_object(member, value)
    data = _read_object(f"{member}.data", node.get("data", {}))
    reason = fault(data)
    if reason:
        raise InvalidBody(f"'{member}.data' {reason}", field=f"{member}.data")
    return {
        **_read_texts(member, node, ("id", "type")),
        "position": dict(_read_numbers(f"{member}.position", node.get("position", {}), ORIGIN)),
        "data": data,
    }


def _read_edges(member: str, value: object) -> list[dict[str, Any]]:
    names = ("id", "source", "target", "sourceHandle", "targetHandle")
    return [
        _read_texts(f"{member}[{i}]", _read_object(f"{member}[{i}]", edge), names)
        for i, edge in enumerate(_read_list(member, value))
    ]


def _read_texts(member: str, value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _read_text(f"{member}.{name}", value.get(name), MAX_REFERENCE) for name in names}


def _read_viewport(member: str, value: object) -> dict[str, float]:
    return dict(_read_numbers(member, {} if value is None else value, _start_viewport()))


def _read_numbers(
    member: str, value: object, start: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    numbers = _read_object(member, value)
    for name, default in start.items():
        yield name, _read_number(f"{member}.{name}", numbers.get(name, default))


ORIGIN = {"x": 0, "y": 0}
MEMBERS: dict[str, tuple[str, Callable[[str, object], Any]]] = {
    "name": ("name", _read_name),
    "description": ("description", _read_description),
    "tags": ("tags", _read_tags),
    "nodes": ("nodes", _read_nodes),
    "edges": ("edges", _read_edges),
    "viewport": ("viewport", _read_viewport),
    "publicPlayground": ("public_playground", _read_flag),
    "isTemplate": ("is_template", _read_flag),
    "folderId": ("folder_id", _read_reference),
    "hidden": ("hidden", _read_flag),
    "archived": ("archived", _read_flag),
    "cover": ("cover", _read_cover),
    "recordValues": ("record_values", _read_record_values),
    "editor": ("editor", _read_editor),
}
"""Attribute and reader of each member of the body; other members are ignored."""
