"""Workflow documents for the tests: chains and fans of calls."""

from typing import Any

from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, node


def get(node_id: str, url: str) -> dict[str, Any]:
    """Return a node that calls a URL."""
    return node(node_id, "httpRequest", url=url)


def save(stack: RunningStack, key: str, name: str, nodes: list[Any], edges: list[Any]) -> str:
    """Save a workflow through the API; return its slug."""
    body = {"name": name, "nodes": nodes, "edges": edges}
    status, answer = stack.api("POST", "/api/workflows", body, key=key)
    assert status == 201, answer
    return str(answer["slug"])


def save_chain_and_fan(stack: RunningStack, base: str) -> str:
    """Save a workflow: a call, then a held call beside a quick one, then both joined."""
    nodes = [
        node("form", "requestInput", fields=[{"name": "id", "label": "Id", "type": "text"}]),
        get("first", base + "/first-{{ id }}"),
        get("quick", base + "/quick-{{ seen }}"),
        get("held", base + "/held-{{ seen }}"),
        node("page", "textBox", text="{{ quick }} and {{ held }}"),
        node("result", "responseOutput"),
    ]
    edges = [
        edge("form", "id", "first", "id"),
        edge("first", "response-out", "quick", "seen"),
        edge("first", "response-out", "held", "seen"),
        edge("quick", "response-out", "page", "quick"),
        edge("held", "response-out", "page", "held"),
        edge("page", "text-out", "result", "result-in"),
    ]
    return save(stack, stack.key, "Chain and fan", nodes, edges)


def save_call(stack: RunningStack, base: str, key: str) -> str:
    """Save a workflow with one call that names its account."""
    nodes = [
        node("form", "requestInput", fields=[{"name": "id", "label": "Id", "type": "text"}]),
        get("call", base + "/{{ id }}"),
        node("result", "responseOutput"),
    ]
    edges = [
        edge("form", "id", "call", "id"),
        edge("call", "response-out", "result", "result-in"),
    ]
    return save(stack, key, "Call", nodes, edges)
