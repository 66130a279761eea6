"""Settings of nodes in tests of the editor."""

import time
from typing import TYPE_CHECKING, Any

from tests.support.acceptance.running_stack import RunningStack

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Node = dict[str, Any]
PATIENCE = 15
"""Seconds until a change is saved, at most."""


def node(node_id: str, kind: str, /, **data: Any) -> Node:
    """Return a node; its place follows when a draft is made of it."""
    return {"id": node_id, "type": kind, "data": data}


def wire(source: str, target: str) -> dict[str, str]:
    """Return a wire between ends written as `node.socket`."""
    (from_node, out), (to_node, into) = source.split("."), target.split(".")
    ends = {"source": from_node, "sourceHandle": out, "target": to_node, "targetHandle": into}
    return {"id": f"{source}-{target}", **ends}


def save_draft(stack: RunningStack, name: str, nodes: list[Node], *wires: dict[str, str]) -> str:
    """Make a workflow with this draft, and return its slug."""
    _, created = stack.api("POST", "/api/workflows", {"name": name, "nodes": [], "edges": []})
    slug = str(created["slug"])
    placed = [
        {**each, "position": {"x": place % 3 * 300, "y": place // 3 * 220}}
        for place, each in enumerate(nodes)
    ]
    stack.api(
        "PUT", f"/api/workflows/{slug}/draft", {"name": name, "nodes": placed, "edges": [*wires]}
    )
    return slug


def draft(stack: RunningStack, slug: str) -> dict[str, Any]:
    """Return the saved draft."""
    _, found = stack.api("GET", f"/api/workflows/{slug}/draft")
    return found


def await_settings(stack: RunningStack, slug: str, node_id: str, expected: object) -> None:
    """Wait until the saved draft has these settings of a node."""
    deadline = time.monotonic() + PATIENCE
    while (found := _settings(draft(stack, slug), node_id)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def _settings(document: dict[str, Any], node_id: str) -> object:
    return next(each["data"] for each in document["nodes"] if each["id"] == node_id)


def open_settings(page: "Page", slug: str, node_id: str) -> "Locator":
    """Open the editor and choose a node; return the panel with its settings."""
    page.goto(f"/app/editor/{slug}")
    card = page.locator(f".react-flow__node[data-id='{node_id}']")
    card.locator("header").click()
    panel = page.get_by_role("region", name="Settings")
    panel.get_by_role("heading", level=2).wait_for()
    return panel
