"""Approvals of a graph and of the bodies in it."""

from engine.graph.approvals import find_approvals, has_approval
from tests.support.factories import Graph, greeting
from tests.support.graphs.nested import each_row


def test_approvals_are_found_in_bodies_and_with_invalid_settings() -> None:
    body = Graph().node("ask", "approval", timeoutSeconds="never")
    nodes = [*each_row(body).node("me", "approval").nodes, {"type": "approval"}]

    assert list(find_approvals(nodes)) == [("me",), ("each", "ask")]
    assert has_approval(each_row(body).nodes)
    assert not has_approval(greeting().nodes)
