"""Calls of other workflows in the nodes of a document."""

from typing import Any

import pytest

from engine.graph.calls import (
    called_slugs,
    callees_first,
    find_calls,
    replace_calls,
    with_replaced_calls,
)
from engine.nodes.support.children import Callee
from tests.support.gateway.documents import node

LETTER = Callee(workflow="letter")


def body(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"nodes": list(nodes), "edges": []}


def test_calls_are_found_in_bodies_of_any_depth() -> None:
    pinned = node("sub", "subWorkflow", workflow="letter", version=3)
    inner = node("inner", "forEach", body=body(pinned))
    nodes = [
        node("a", "subWorkflow", workflow="letter"),
        node("b", "forEach", workflow="post"),
        node("c", "forEach", body=body(inner)),
        node("text", "textBox", workflow="none", body=body(pinned)),
    ]

    assert find_calls(nodes) == {
        LETTER,
        Callee(workflow="post"),
        Callee(workflow="letter", version=3),
    }
    assert called_slugs(nodes) == ["letter", "post"]


@pytest.mark.parametrize(
    "data",
    [{}, {"workflow": 7}, {"workflow": "No slug"}, {"workflow": "a b"}, {"body": []}, None, "x"],
)
def test_settings_without_a_slug_are_no_call(data: Any) -> None:
    assert find_calls([{"id": "a", "type": "forEach", "data": data}]) == frozenset()


@pytest.mark.parametrize("version", [0, -1, True, "3", 1.5, None])
def test_a_version_that_is_none_is_that_of_the_live_one(version: Any) -> None:
    assert find_calls([node("a", "subWorkflow", workflow="letter", version=version)]) == {LETTER}


def test_calls_are_replaced_by_those_of_other_live_workflows() -> None:
    pinned = node("sub", "subWorkflow", workflow="letter", version=3, onError="continue")
    kept = node("kept", "subWorkflow", workflow="post", version=2)
    nodes = [node("each", "forEach", body=body(pinned, kept), concurrency=4)]

    changed = replace_calls(nodes, {"letter": "letter-2"})

    replaced = node("sub", "subWorkflow", workflow="letter-2", onError="continue")
    assert changed == [node("each", "forEach", body=body(replaced, kept), concurrency=4)]
    assert pinned["data"]["workflow"] == "letter"


def document(slug: str, *callees: str) -> dict[str, Any]:
    return {"slug": slug, "nodes": [node(each, "subWorkflow", workflow=each) for each in callees]}


def test_documents_come_after_those_that_they_call() -> None:
    bodies = [document("a", "b", "elsewhere"), document("c"), document("b", "c"), {"nodes": "x"}]

    assert [each.get("slug") for each in callees_first(bodies)] == ["c", "b", "a", None]
    loop = callees_first([document("a", "b"), document("b", "a")])
    assert sorted(each["slug"] for each in loop) == ["a", "b"]


def test_calls_of_a_malformed_document_stay() -> None:
    body = {"nodes": [3]}

    assert with_replaced_calls(body, {"a": "b"}) == body
    assert with_replaced_calls(document("x", "a"), {"a": "b"})["nodes"][0]["data"] == {
        "workflow": "b"
    }


def test_tools_of_agents_are_calls_and_are_replaced_with_the_names_to_approve() -> None:
    tools = [{"workflow": "letter"}, {"server": "https://a.example/mcp"}, {"workflow": "post"}]
    nodes = [node("a", "agent", tools=tools, approve=["letter", "other"], prompt="x")]

    assert find_calls(nodes) == {LETTER, Callee(workflow="post")}
    [changed] = replace_calls(nodes, {"letter": "letter-2"})
    assert [each.get("workflow") for each in changed["data"]["tools"]] == ["letter-2", None, "post"]
    assert changed["data"]["approve"] == ["letter-2", "other"]
    assert find_calls([node("a", "agent", tools="none")]) == frozenset()
