"""Graphs drawn in one line per node and edge."""

from typing import Any


def node(id: str, type: str, **data: Any) -> dict[str, Any]:
    """Return a node of a document."""
    return {"id": id, "type": type, "position": {"x": 0, "y": 0}, "data": data}


def edge(source: str, target: str, *, id: str | None = None) -> dict[str, Any]:
    """Return an edge between two sockets written as `node.socket`."""
    source_id, source_handle = source.split(".")
    target_id, target_handle = target.split(".")
    return {
        "id": id or f"{source}>{target}",
        "source": source_id,
        "target": target_id,
        "sourceHandle": source_handle,
        "targetHandle": target_handle,
    }


def chain(length: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return `length` lists in a row, named n0, n1, …"""
    nodes = [node(f"n{i}", "list") for i in range(length)]
    edges = [edge(f"n{i}.items-out", f"n{i + 1}.items-in") for i in range(length - 1)]
    return nodes, edges
