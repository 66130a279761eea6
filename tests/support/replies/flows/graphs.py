"""Short documents of the flows."""

from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import calling, per_item


def asking_model() -> Graph:
    """Input `who` → a priced model → output."""
    graph = Graph("who").node("m", "customModel", model="own").node("out", "responseOutput")
    return graph.wire("in.who > m.prompt-in", "m.text-out > out.result-in")


def calling_target(url: str, **data: object) -> Graph:
    """Input `who` → an HTTP call → output."""
    graph = Graph("who").node("h", "httpRequest", url=url, method="POST", **data)
    graph.node("out", "responseOutput")
    return graph.wire("in.who > h.body-in", "h.response-out > out.result-in")


def asking_person() -> Graph:
    """Input `who` → an approval → output."""
    graph = Graph("who").node("ask", "approval", title="Post?", message="{{ who }}")
    graph.node("out", "responseOutput")
    graph.wire("in.who > ask.value-in", "in.who > ask.who")
    return graph.wire("ask.approved-out > out.result-in")


def each_item(body: Graph, **data: object) -> Graph:
    """Input `items` → a child for each → output."""
    return per_item(body, **data)


def picky() -> Graph:
    """Input `who` → a number, for digits alone → output."""
    graph = Graph("who").node("n", "transform", expression="int(value)")
    graph.node("out", "responseOutput")
    return graph.wire("in.who > n.value-in", "n.value-out > out.result-in")


__all__ = ["asking_model", "asking_person", "calling", "calling_target", "each_item", "picky"]
