"""Workflows of the monkey's users, beside those of the load of two releases."""

from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import per_item

DELAY_SECONDS = 3


def asking_child(slug: str) -> Graph:
    """Return a call of another workflow with the input."""
    graph = Graph("id").node("sub", "subWorkflow", workflow=slug).node("out", "responseOutput")
    return graph.wire("in.id > sub.id", "sub.result-out > out.result-in")


def charging_each() -> Graph:
    """Return a charged model for each item of a list, in children."""
    body = Graph("who").node("m", "customModel", model="echo").node("end", "responseOutput")
    body.wire("in.who > m.prompt-in", "m.text-out > end.result-in")
    return per_item(body, concurrency=3)


def sleeping(url: str) -> Graph:
    """Return a call after a delay."""
    graph = Graph("id").node("wait", "delay", seconds=DELAY_SECONDS)
    graph.node("h", "httpRequest", url=f"{url}/later/{{{{ id }}}}?n=7")
    graph.node("out", "responseOutput").wire("in.id > wait.value-in", "wait.value-out > h.id")
    return graph.wire("h.response-out > out.result-in")


def asking_person(url: str) -> Graph:
    """Return an approval of the input, and a call on either way."""
    graph = Graph("id").node("ask", "approval", title="{{ id }}").node("out", "responseOutput")
    graph.wire("in.id > ask.id", "in.id > ask.value-in")
    for way in ("approved", "refused"):
        graph.node(way, "httpRequest", url=f"{url}/{way}/{{{{ id }}}}?n=7")
        graph.wire(f"ask.{way}-out > {way}.id", f"{way}.response-out > out.result-in")
    return graph
