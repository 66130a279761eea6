"""Differences between two documents: nodes, edges, settings and members."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.graph.document import MEMBERS, Document

Change = dict[str, Any]
MOST_SHOWN = 60
"""Characters of a value that a line shows."""
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def diff_documents(before: Document, after: Document) -> list[Change]:
    """Return what `after` changes: members first, then nodes and edges.

    A change has `change` (added, removed or changed), `kind` (member, node or edge), `id`, and for
    changed ones `values`: for each path its `from` and `to`.
    """
    return [
        *_members(before, after),
        *_parts("node", before.nodes, after.nodes),
        *_parts("edge", before.edges, after.edges),
    ]


def lines_of(changes: Sequence[Change]) -> Iterator[str]:
    """Yield a line for each change, and one for each value of it."""
    for change in changes:
        yield f"{SIGNS[change['change']]} {change['kind']} {change['id']}"
        for path, value in change.get("values", {}).items():
            yield f"    {path}: {_shown(value['from'])} -> {_shown(value['to'])}"


def _members(before: Document, after: Document) -> Iterator[Change]:
    for member, (attribute, _) in MEMBERS.items():
        old, new = getattr(before, attribute), getattr(after, attribute)
        if member not in ("nodes", "edges") and old != new:
            yield _changed("member", member, {member: (old, new)})
    orders = [[each["id"] for each in document.edges] for document in (before, after)]
    if sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1]:
        yield _changed("member", "edges", {"order": (orders[0], orders[1])})


def _parts(
    kind: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Change]:
    old, new = ({each["id"]: each for each in parts} for parts in (before, after))
    for part_id in old.keys() - new.keys():
        yield {"change": "removed", "kind": kind, "id": part_id}
    for part_id, part in new.items():
        if part_id not in old:
            yield {"change": "added", "kind": kind, "id": part_id, "as": dict(part)}
        elif values := dict(_values(old[part_id], part, "")):
            yield _changed(kind, part_id, values)


def _values(old: Any, new: Any, path: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the paths whose values differ, within objects but not within lists."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in {**old, **new}:
            inner = f"{path}.{name}" if path else name
            yield from _values(old.get(name), new.get(name), inner.removeprefix("data."))
    elif old != new:
        yield path, (old, new)


def _changed(kind: str, part_id: str, values: Mapping[str, tuple[Any, Any]]) -> Change:
    pairs = {path: {"from": old, "to": new} for path, (old, new) in values.items()}
    return {"change": "changed", "kind": kind, "id": part_id, "values": pairs}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
