"""Graphs with bodies."""

from typing import Any

from tests.support.factories import Graph


def upper_body(field: str = "row") -> Graph:
    """Request Input with one text → text box → Response Output."""
    body = Graph(field).node("text", "textBox", text="{{ a }}!").node("out", "responseOutput")
    return body.wire(f"in.{field} > text.a", "text.text-out > out.result-in")


def body_of(graph: Graph) -> dict[str, Any]:
    """Return a graph as the body of a node."""
    return {"nodes": graph.nodes, "edges": graph.edges}


def each_row(body: Graph | None = None, **data: Any) -> Graph:
    """List → For Each over `row` → Response Output; with `workflow` instead of a body."""
    graph = Graph().node("rows", "list", items=[{"value": "a"}, {"value": "b"}])
    if "workflow" not in data:
        data["body"] = body_of(body or upper_body())
    graph.node("each", "forEach", **data).node("out", "responseOutput")
    return graph.wire("rows.items-out > each.row", "each.results-out > out.result-in")


def calling(slug: str, *, field: str = "who", **data: Any) -> Graph:
    """Request Input → Sub-workflow → Response Output."""
    graph = Graph(field).node("call", "subWorkflow", workflow=slug, **data)
    graph.node("out", "responseOutput")
    return graph.wire(f"in.{field} > call.{field}", "call.result-out > out.result-in")
