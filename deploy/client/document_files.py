"""Workflow documents in files that version control compares line by line."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.problems import CommandFailed

MEMBERS = (
    *("slug", "name", "description", "tags", "draft", "publicPlayground", "isTemplate"),
    *("folderId", "cover", "hidden", "archived", "recordValues", "nodes", "edges", "viewport"),
    "editor",
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

    Nodes are in the order of their ids and members of objects in that of their names. Edges keep
    their order, which counts where several lead into one socket.
    """
    shown = {name: document[name] for name in MEMBERS if name in document}
    for name, value in shown.items():
        shown[name] = _sorted(value)
    shown["nodes"] = sorted(shown.get("nodes", []), key=lambda node: str(node["id"]))
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list | tuple) else value
