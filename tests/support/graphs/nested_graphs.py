"""Documents of which a node runs a part for each item of a list, or another workflow."""

from typing import Any

from tests.support.factories import Graph


def body_of(graph: Graph) -> dict[str, Any]:
    """Return a graph as the body of a node."""
    return {"nodes": graph.nodes, "edges": graph.edges}


def list_field(name: str) -> dict[str, Any]:
    """Return a field that takes a list."""
    return {"name": name, "label": name, "type": "json"}


def per_item(body: Graph, **data: Any) -> Graph:
    """Input `items` → one child for each, by its first field → output `results` and `errors`."""
    field = body.nodes[0]["data"]["fields"][0]["name"]
    graph = Graph().node("in", "requestInput", fields=[list_field("items")])
    graph.node("each", "forEach", body=body_of(body), **data)
    graph.node("out", "responseOutput", fields=[{"name": "results"}, {"name": "errors"}])
    return graph.wire(
        f"in.items > each.{field}", "each.results-out > out.results", "each.errors-out > out.errors"
    )


def calling(slug: str, **data: Any) -> Graph:
    """Input `who` → another workflow with such a field → output."""
    graph = Graph("who").node("call", "subWorkflow", workflow=slug, **data)
    graph.node("out", "responseOutput")
    return graph.wire("in.who > call.who", "call.result-out > out.result-in")
