"""Workflow documents in files that version control compares line by line."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.output.problems import CommandFailed
from engine.graph.bodies import body_of

MEMBERS = (
    *("slug", "name", "description", "tags", "draft", "publicPlayground", "isTemplate"),
    *("folderId", "cover", "hidden", "archived", "recordValues", "nodes", "edges", "viewport"),
    *("tests", "editor"),
)
"""Members of a file in their order, without the members that the server decides."""


def read_document(file: Path) -> dict[str, Any]:
    """Return the document in a file. Raises CommandFailed."""
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise CommandFailed(f"{file} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CommandFailed(f"{file} holds no workflow document: it must be a JSON object.")
    return document


def document_text(document: Mapping[str, Any]) -> str:
    """Return a document as the text of a file: the same document always gives the same text.

    Nodes, those of bodies too, are in the order of their ids and members of objects in that of
    their names. Edges keep their order, which counts where several lead into one socket.
    """
    shown = {name: document[name] for name in MEMBERS if name in document}
    for name, value in shown.items():
        shown[name] = _sorted(value)
    shown["nodes"] = _in_order(shown.get("nodes", []))
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _in_order(nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return nodes in the order of their ids, in bodies too."""
    changed = []
    for node in sorted(nodes, key=lambda node: str(node.get("id"))):
        body = body_of(node)
        if body is None:
            changed.append(dict(node))
            continue
        ordered = {**body, "nodes": _in_order(body["nodes"])}
        changed.append({**node, "data": {**node["data"], "body": ordered}})
    return changed


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list | tuple) else value
