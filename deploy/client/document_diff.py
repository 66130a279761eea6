"""Differences between two documents: nodes, edges, settings and members."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from deploy.output.tables import short_json
from engine.graph.bodies import body_of
from engine.graph.document import MEMBERS, Document

Change = dict[str, Any]
Part = Mapping[str, Any]
Parts = Sequence[Part]
GRAPH = ("nodes", "edges")
MOST_SHOWN = 60
"""Characters of a value that a line shows."""
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def diff_documents(before: Document, after: Document) -> list[Change]:
    """Return what `after` changes: members first, then nodes and edges.

    A change has `change` (added, removed or changed), `kind` (member, node or edge), `id`, and for
    changed ones `values`: for each path its `from` and `to`. The id of a part of a body has the
    ids of the nodes around it before, with slashes.
    """
    old, new = ({"nodes": each.nodes, "edges": each.edges} for each in (before, after))
    return [*_members(before, after), *_graphs(old, new, "")]


def lines_of(changes: Sequence[Change]) -> Iterator[str]:
    """Yield a line for each change, and one for each value of it."""
    for change in changes:
        yield f"{SIGNS[change['change']]} {change['kind']} {change['id']}"
        for path, value in change.get("values", {}).items():
            old, new = (short_json(value[each], MOST_SHOWN) for each in ("from", "to"))
            yield f"    {path}: {old} -> {new}"


def _members(before: Document, after: Document) -> Iterator[Change]:
    for member, (attribute, _) in MEMBERS.items():
        old, new = getattr(before, attribute), getattr(after, attribute)
        if member not in ("nodes", "edges") and old != new:
            yield _changed("member", member, {member: (old, new)})
    yield from _order(before.edges, after.edges, "edges")


def _order(before: Parts, after: Parts, name: str) -> Iterator[Change]:
    orders = [[each["id"] for each in parts] for parts in (before, after)]
    if sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1]:
        yield _changed("member", name, {"order": (orders[0], orders[1])})


def _graphs(
    before: Mapping[str, Parts], after: Mapping[str, Parts], above: str
) -> Iterator[Change]:
    """Yield the changes of nodes, those of bodies after the node around them, and of edges."""
    old = {each["id"]: each for each in before["nodes"]}
    new = {each["id"]: each for each in after["nodes"]}
    inner = {
        node_id: bodies
        for node_id in old.keys() & new.keys()
        if (bodies := _bodies(old[node_id], new[node_id]))
    }
    yield from _parts("node", _without_bodies(old, inner), _without_bodies(new, inner), above)
    for node_id, (old_body, new_body) in sorted(inner.items()):
        yield from _order(old_body["edges"], new_body["edges"], f"{above}{node_id}/edges")
        yield from _graphs(old_body, new_body, f"{above}{node_id}/")
    old_edges = {each["id"]: each for each in before["edges"]}
    yield from _parts("edge", old_edges, {each["id"]: each for each in after["edges"]}, above)


def _bodies(old: Part, new: Part) -> tuple[Mapping[str, Parts], Mapping[str, Parts]] | None:
    """Return the bodies of a node before and after; None unless both are graphs with ids."""
    before, after = body_of(old), body_of(new)
    if before is None or after is None:
        return None
    parts = (each for body in (before, after) for name in GRAPH for each in body[name])
    return (before, after) if all(isinstance(each.get("id"), str) for each in parts) else None


def _without_bodies(nodes: Mapping[str, Part], inner: Container[str]) -> dict[str, Part]:
    """Return nodes by id, those with inner changes without the graphs of their bodies."""
    changed = {}
    for node_id, node in nodes.items():
        if node_id in inner:
            data = node["data"]
            body = {name: value for name, value in data["body"].items() if name not in GRAPH}
            node = {**node, "data": {**data, "body": body}}
        changed[node_id] = node
    return changed


def _parts(
    kind: str, old: Mapping[str, Part], new: Mapping[str, Part], above: str
) -> Iterator[Change]:
    for part_id in old.keys() - new.keys():
        yield {"change": "removed", "kind": kind, "id": f"{above}{part_id}"}
    for part_id, part in new.items():
        if part_id not in old:
            yield {"change": "added", "kind": kind, "id": f"{above}{part_id}", "as": dict(part)}
        elif values := dict(_values(old[part_id], part, "")):
            yield _changed(kind, f"{above}{part_id}", values)


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
