"""Short documents."""

from typing import Any


def greeting(name: str = "Greeting", **members: Any) -> dict[str, Any]:
    """Return a workflow that greets a name."""
    return {
        "name": name,
        "nodes": [
            node("in", "requestInput", fields=[NAME_FIELD], values={"name": "Ada"}),
            node("text", "textBox", text="Hello {{ name }}"),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "text", "name"),
            edge("text", "text-out", "out", "result-in"),
        ],
        **members,
    }


NAME_FIELD = {"name": "name", "label": "Name", "type": "text", "required": True, "maxLength": 40}


def broken(name: str = "Broken", **members: Any) -> dict[str, Any]:
    """Return a workflow whose graph has two problems."""
    nodes = [node("a", "nothing"), node("b", "textBox", text="hi")]
    return {"name": name, "nodes": nodes, "edges": [edge("b", "text-out", "c", "in")], **members}


def node(node_id: str, kind: str, **data: Any) -> dict[str, Any]:
    """Return a node of a document."""
    return {"id": node_id, "type": kind, "position": {"x": 0, "y": 0}, "data": data}


def edge(source: str, output: str, target: str, socket: str) -> dict[str, Any]:
    """Return an edge of a document."""
    return {
        "id": f"{source}.{output}-{target}.{socket}",
        "source": source,
        "target": target,
        "sourceHandle": output,
        "targetHandle": socket,
    }
