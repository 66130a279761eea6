"""Runs of `subWorkflow` and `forEach`: values that go in and come out, and failures."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.factories import Graph
from tests.support.graphs.nested import body_of, calling, each_row, upper_body

ROWS = {"name": "rows", "type": "json"}


def text(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "type": "text", **members}


def over_rows(body: Graph, **data: Any) -> Graph:
    """Request Input with `rows` → For Each → the named outputs `ok` and `bad`."""
    graph = Graph().node("in", "requestInput", fields=[ROWS])
    graph.node("each", "forEach", body=body_of(body), **data)
    graph.node("out", "responseOutput", fields=[{"name": "ok"}, {"name": "bad"}])
    graph.wire("in.rows > each.row", "each.results-out > out.ok")
    return graph.wire("each.errors-out > out.bad")


def result(caller: Caller, graph: Graph, **inputs: Any) -> Any:
    answer = caller.run(caller.save(graph.body()), inputs)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def failure(caller: Caller, graph: Graph, **inputs: Any) -> tuple[str, str]:
    """Return the code and the message of the node that failed the run."""
    answer = caller.run(caller.save(graph.body()), inputs)
    assert answer.status_code == 500, answer.text
    return answer.json()["nodeCode"], answer.json()["reason"]


def test_each_item_has_a_result_in_the_order_of_the_list(caller: Caller) -> None:
    found = result(caller, over_rows(upper_body()), rows=[str(number) for number in range(30)])

    assert found == {"ok": [f"{number}!" for number in range(30)], "bad": []}
    assert result(caller, over_rows(upper_body()), rows=[]) == {"ok": [], "bad": []}


def test_an_unwired_index_is_the_number_of_the_item_and_null_is_the_default(
    caller: Caller,
) -> None:
    fields = [text("row", default="none"), {"name": "index", "type": "number", "required": True}]
    body = Graph().node("in", "requestInput", fields=fields).node("out", "responseOutput")
    body.node("t", "textBox", text="{{ i }}:{{ r }}")
    body.wire("in.index > t.i", "in.row > t.r", "t.text-out > out.result-in")

    assert result(caller, over_rows(body), rows=["a", None, "c"])["ok"] == ["0:a", "1:none", "2:c"]


@pytest.mark.parametrize(("mode", "ok"), [("null", ["a!", None, "c!"]), ("skip", ["a!", "c!"])])
def test_an_item_that_does_not_fit_fails_alone(caller: Caller, mode: str, ok: list[Any]) -> None:
    found = result(caller, over_rows(upper_body(), onItemError=mode), rows=["a", 1, "c"])

    error = {
        "index": 1,
        "code": "invalid_inputs",
        "message": "Input 'row': must be a text, not a number",
    }
    assert found == {"ok": ok, "bad": [error]}


def test_the_first_failed_item_fails_the_node_with_its_code(caller: Caller) -> None:
    broken = Graph("row").node("t", "transform", expression="value.nope")
    broken.node("out", "responseOutput").wire("in.row > t.value-in", "t.value-out > out.result-in")

    code, message = failure(caller, over_rows(each_inside(broken)), rows=["a"])

    assert code == "expression_error"
    assert message.startswith("Item 0: Item ")
    assert failure(caller, over_rows(upper_body()), rows=["a", 1]) == (
        "invalid_inputs",
        "Item 1: Input 'row': must be a text, not a number",
    )


def each_inside(body: Graph) -> Graph:
    return each_row(body).node("in", "requestInput", fields=[text("row")])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("abc", "Input 'row': must be a list, not a text"),
        (None, "Input 'row': must be a list, not null"),
        ([0] * 10_001, "Input 'row': has 10001 items; at most 10000 are allowed"),
    ],
)
def test_a_list_that_is_none_or_too_long_fails_the_node(
    caller: Caller, rows: Any, reason: str
) -> None:
    assert failure(caller, over_rows(upper_body()), rows=rows) == ("invalid_inputs", reason)


def test_a_call_gives_the_plain_result_and_its_named_outputs(caller: Caller) -> None:
    other = Graph("who").node("up", "textBox", text="{{ a }}!")
    other.node("out", "responseOutput", fields=[{"name": "title"}, {"name": "none"}])
    slug = caller.save(other.wire("in.who > up.a", "up.text-out > out.title").body("Other"))
    names = ("all", "title", "none")
    graph = Graph("who").node("call", "subWorkflow", workflow=slug)
    graph.node("out", "responseOutput", fields=[{"name": name} for name in names])
    graph.wire("in.who > call.who", "call.result-out > out.all", "call.title > out.title")

    assert result(caller, graph.wire("call.none > out.none"), who="x") == {
        "all": {"title": "x!", "none": None},
        "title": "x!",
        "none": None,
    }
    assert result(caller, calling(caller.save(upper_body("who").body("P"))), who="y") == "y!"


def test_inputs_and_outputs_that_a_later_version_has_lost_fail_the_node(caller: Caller) -> None:
    other = Graph("who").node("out", "responseOutput", fields=[{"name": "a"}, {"name": "b"}])
    slug = caller.save(other.wire("in.who > out.a").body("Other"))
    graph = Graph("who").node("call", "subWorkflow", workflow=slug).node("out", "responseOutput")
    user = caller.save(graph.wire("in.who > call.who", "call.a > out.result-in").body("User"))
    old = calling(slug, version=1)

    other.nodes[1]["data"]["fields"] = [{"name": "b"}]
    other.edges[0]["targetHandle"] = "b"
    assert caller.put(f"/api/workflows/{slug}", other.body("Other")).status_code == 200
    lost_output = caller.run(user, {"who": "x"}).json()
    other.nodes[0]["data"]["fields"] = [text("other")]
    other.edges[0]["sourceHandle"] = "other"
    assert caller.put(f"/api/workflows/{slug}", other.body("Other")).status_code == 200
    lost_input = caller.run(user, {"who": "x"}).json()

    assert lost_output["nodeCode"] == "output_missing"
    assert lost_output["reason"] == f"The workflow '{slug}' has no output 'a' any more"
    assert lost_input["nodeCode"] == "invalid_inputs"
    assert lost_input["reason"] == f"Workflow '{slug}': There is no input 'who' any more"
    assert result(caller, old, who="x") == {"a": "x", "b": None}


def test_a_value_that_does_not_fit_its_field_fails_the_node(caller: Caller) -> None:
    slug = caller.save(upper_body("who").body("Other"))
    graph = Graph().node("in", "requestInput", fields=[{"name": "n", "type": "number"}])
    graph.node("call", "subWorkflow", workflow=slug).node("out", "responseOutput")

    found = failure(caller, graph.wire("in.n > call.who", "call.result-out > out.result-in"), n=1)

    reason = f"Workflow '{slug}': Input 'who': must be a text, not a number"
    assert found == ("invalid_inputs", reason)


def test_the_estimate_of_children_is_subject_to_max_credits(caller: Caller) -> None:
    asking = Graph("row").node("ask", "customModel", model="echo").node("out", "responseOutput")
    asking.wire("in.row > ask.prompt-in", "ask.text-out > out.result-in")
    slug = caller.save(asking.body("Asking"))
    cost = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]
    nested = caller.save(calling(slug, field="row").body("Nested"))

    refused = caller.run(nested, {"row": "a"}, f"?max_credits={cost - 1}")
    allowed = caller.run(nested, {"row": "a"}, f"?max_credits={cost}")

    assert refused.json()["code"] == "MAX_CREDITS_EXCEEDED"
    assert refused.json()["estimate"] == cost > 0
    assert (allowed.status_code, allowed.json()["cost"]) == (200, cost)
