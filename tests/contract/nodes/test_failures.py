"""Failures that branch: fallback values, and errors along an edge."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import calling, per_item
from tests.support.http.target import Stub

RETRY = {"attempts": 2, "backoff": 0}
BROKEN = "{{ who.name }}"
"""A template that fails for a text."""


def branching(url: str, **data: Any) -> Graph:
    """A call whose answer is `good`, and whose error is `bad`."""
    graph = Graph("who").node("call", "httpRequest", url=f"{url}/{{{{ who }}}}", **data)
    graph.node("out", "responseOutput", fields=[{"name": "good"}, {"name": "bad"}])
    graph.wire("in.who > call.who", "call.response-out > out.good")
    return graph.wire("call.error-out > out.bad")


def broken(text: str = BROKEN, **data: Any) -> Graph:
    """A text that fails, and is the result."""
    graph = Graph("who").node("broken", "textBox", text=text, **data).node("out", "responseOutput")
    return graph.wire("in.who > broken.who", "broken.text-out > out.result-in")


def falling(fallback: Any, text: str = BROKEN) -> Graph:
    """Such a text with fallback values."""
    return broken(text, onError="fallback", fallback=fallback)


def node_of(execution: Any, node_id: str) -> Any:
    return next(each for each in execution["nodes"] if each["id"] == node_id)


def problem(caller: Caller, graph: Graph) -> Any:
    answer = caller.create(graph.body())
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH"), answer.text
    [found] = answer.json()["problems"]
    return found


def test_a_failure_delivers_the_error_after_all_retries_and_nothing_else(
    caller: Caller, stub: Stub
) -> None:
    slug = caller.save(branching(f"{stub.url}/status/500", retry=RETRY).body())

    shown = caller.ended(caller.start(slug, {"who": "ada"}))

    error = shown["result"]["bad"]
    assert (shown["status"], shown["error"]) == ("completed", None)
    assert shown["result"]["good"] is None
    assert (error["code"], error["nodeId"], error["attempts"]) == ("http_status", "call", 2)
    assert set(error) == {"code", "message", "nodeId", "attempts"}
    failed = node_of(shown, "call")
    assert (failed["status"], failed["attempts"]) == ("failed", 2)
    assert failed["error"]["message"] == error["message"]


def test_a_success_leaves_the_error_undelivered(caller: Caller, stub: Stub) -> None:
    graph = branching(f"{stub.url}/json")
    graph.node("told", "textBox", text="{{ error }}").wire("call.error-out > told.error")
    graph.wire("told.text-out > out.bad")

    shown = caller.ended(caller.start(caller.save(graph.body()), {"who": "ada"}))

    assert shown["result"]["bad"] is None
    assert node_of(shown, "told")["status"] == "skipped"


def test_nodes_after_the_outputs_of_a_failed_node_are_skipped(caller: Caller, stub: Stub) -> None:
    graph = branching(f"{stub.url}/status/404")
    graph.node("after", "textBox", text="{{ a }}").wire("call.response-out > after.a")
    graph.wire("after.text-out > out.good")

    shown = caller.ended(caller.start(caller.save(graph.body()), {"who": "ada"}))

    assert (shown["status"], node_of(shown, "after")["status"]) == ("completed", "skipped")


def test_fallback_values_are_the_outputs_of_a_failed_node(caller: Caller) -> None:
    slug = caller.save(falling({"text-out": "nobody"}).body())

    answer = caller.run(slug, {"who": "ada"})
    execution_id = answer.json()["executionId"]
    shown = caller.execution(execution_id)
    values = caller.get(f"/api/executions/{execution_id}/nodes/broken").json()

    assert (answer.status_code, answer.json()["result"]) == (200, {"text": "nobody"})
    assert shown["status"] == "completed"
    assert node_of(shown, "broken")["status"] == "failed"
    assert node_of(shown, "broken")["error"]["code"] == "template_error"
    assert values["outputs"] == {"text-out": "nobody"}


@pytest.mark.parametrize("fallback", [None, {}, {"text-out": None}])
def test_an_output_without_a_value_is_null(caller: Caller, fallback: Any) -> None:
    answer = caller.run(caller.save(falling(fallback).body()), {"who": "ada"})

    assert answer.json()["result"] is None


def test_a_completed_node_keeps_its_own_outputs(caller: Caller) -> None:
    slug = caller.save(falling({"text-out": "nobody"}, text="Hello {{ who }}").body())

    assert caller.run(slug, {"who": "ada"}).json()["result"] == {"text": "Hello ada"}


@pytest.mark.parametrize(
    ("fallback", "words"),
    [
        ({"text-out": 1}, "must be a text"),
        ({"image-out": "x"}, "has no output 'image-out'"),
        ({"error-out": "x"}, "has no output 'error-out'"),
        ("x", "must be an object"),
    ],
)
def test_values_that_do_not_fit_are_a_problem_at_save(
    caller: Caller, fallback: Any, words: str
) -> None:
    found = problem(caller, falling(fallback))

    assert found["nodeId"] == "broken"
    assert words in found["reason"]


@pytest.mark.parametrize("on_error", ["continue", "fallback"])
def test_an_error_goes_one_way(caller: Caller, stub: Stub, on_error: str) -> None:
    found = problem(caller, branching(f"{stub.url}/json", onError=on_error))

    assert "onError" in found["reason"]


def test_the_form_has_no_error(caller: Caller) -> None:
    graph = Graph("who").node("out", "responseOutput").wire("in.error-out > out.result-in")

    assert "no output socket 'error-out'" in problem(caller, graph)["reason"]


def test_the_failure_of_a_called_workflow_branches_in_its_caller(caller: Caller) -> None:
    slug = caller.save(broken().body())
    graph = calling(slug)
    graph.node("told", "textBox", text="{{ error.code }} at {{ error.nodeId }}")
    graph.wire("call.error-out > told.error", "told.text-out > out.result-in")

    shown = caller.ended(caller.start(caller.save(graph.body()), {"who": "ada"}))

    assert shown["status"] == "completed", shown
    assert shown["result"] == {"text": "template_error at call"}
    assert node_of(shown, "call")["status"] == "failed"


def test_the_first_failed_item_branches_with_its_number(caller: Caller) -> None:
    body = broken()
    graph = per_item(body)
    graph.wire("each.error-out > out.errors")

    shown = caller.ended(caller.start(caller.save(graph.body()), {"items": ["a", "b"]}))

    assert shown["status"] == "completed", shown
    assert shown["result"]["results"] is None
    assert shown["result"]["errors"]["code"] == "template_error"
    assert shown["result"]["errors"]["message"].startswith("Item ")
    assert shown["result"]["errors"]["nodeId"] == "each"
