"""Workflows in workflows at save: sockets, and the problems that section 13 names."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.factories import Graph
from tests.support.graphs.nested import calling, each_row, upper_body

ROW = {"name": "row", "type": "text"}


def problems(caller: Caller, graph: Graph) -> Any:
    """Save the graph, and return the problems for which it is refused."""
    answer = caller.create(graph.body())
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH"), answer.text
    return answer.json()["problems"]


def only(caller: Caller, graph: Graph) -> Any:
    (problem,) = problems(caller, graph)
    return problem


def other(caller: Caller, *fields: dict[str, Any], name: str = "Other") -> str:
    """Save a workflow with these fields and the named outputs `title` and `text`."""
    graph = Graph().node("in", "requestInput", fields=list(fields) or [ROW])
    graph.node("out", "responseOutput", fields=[{"name": "title"}, {"name": "text"}])
    return caller.save(graph.body(name))


def test_graphs_in_graphs_are_saved(caller: Caller) -> None:
    slug = other(caller)
    inner = each_row(calling(slug, field="row")).node("in", "requestInput", fields=[ROW])

    for graph in (calling(slug, field="row"), each_row(workflow=slug), each_row(inner)):
        assert caller.create(graph.body()).status_code == 201


def test_the_sockets_of_a_call_are_the_others_fields_and_outputs(caller: Caller) -> None:
    slug = other(caller, ROW, {"name": "photo", "type": "image"}, {"name": "n", "type": "number"})
    graph = each_row(calling(slug, field="row"))

    body = caller.post("/api/workflows/check", {"nodes": graph.nodes, "edges": graph.edges}).json()

    assert body["problems"] == []
    each = body["sockets"]["each"]
    assert [socket["name"] for socket in each["inputs"]] == ["row"]
    assert [socket["name"] for socket in each["outputs"]] == [
        "results-out",
        "errors-out",
        "error-out",
    ]
    call = each["body"]["call"]
    assert {socket["name"]: socket["type"] for socket in call["inputs"]} == {
        "row": "text",
        "photo": "image",
        "n": "any",
    }
    assert {socket["name"]: socket["type"] for socket in call["outputs"]} == {
        "result-out": "any",
        "title": "any",
        "text": "any",
        "error-out": "any",
    }


def test_an_unknown_or_deleted_workflow_is_a_problem(caller: Caller) -> None:
    slug = other(caller)
    caller.delete(f"/api/workflows/{slug}")

    for missing in (slug, "never-there"):
        problem = only(caller, calling(missing))
        assert problem["nodeId"] == "call"
        assert problem["reason"] == f"workflow: the account has no workflow '{missing}'"


def test_a_workflow_without_a_live_version_is_a_problem(caller: Caller) -> None:
    slug = caller.create({**upper_body().body(), "draft": True}).json()["slug"]

    assert "has no live version" in only(caller, calling(slug, field="row"))["reason"]


def test_a_version_that_is_not_there_is_a_problem(caller: Caller) -> None:
    slug = other(caller)

    assert caller.create(calling(slug, field="row", version=1).body()).status_code == 201
    problem = only(caller, calling(slug, field="row", version=2))
    assert problem["reason"] == f"version: '{slug}' has no version 2"


def test_a_workflow_that_calls_itself_over_any_steps_is_a_problem(caller: Caller) -> None:
    first = caller.save(upper_body().body("First"))
    second = caller.save(calling(first, field="row").body("Second"))
    third = caller.save(each_row(calling(second, field="row")).body("Third"))
    looping = each_row(calling(third, field="row"))

    (own,) = caller.put(f"/api/workflows/{first}", calling(first, field="row").body()).json()[
        "problems"
    ]
    second_steps = calling(third, field="row")
    second_steps.edges = second_steps.edges[1:]
    (over_two,) = caller.put(f"/api/workflows/{first}", second_steps.body()).json()["problems"]
    draft = caller.put(f"/api/workflows/{first}/draft", looping.body("First")).json()

    assert own["reason"] == "workflow: a workflow cannot call itself"
    way = " → ".join([first, third, second, first])
    assert over_two["reason"] == f"workflow: '{third}' leads back to this workflow: {way}"
    assert ["each", "call"] in [problem.get("path") for problem in draft["problems"]]
    assert caller.post(f"/api/workflows/{first}/publish").json()["code"] == "INVALID_GRAPH"


def test_a_wire_to_a_field_that_is_not_there_is_a_problem(caller: Caller) -> None:
    slug = other(caller)
    graph = calling(slug, field="line")
    graph.wire("call.nope > out.result-in")

    found = problems(caller, graph)

    assert [problem["edgeId"] for problem in found] == ["e0", "e2"]
    assert "has no input socket 'line'; it has 'row'" in found[0]["reason"]
    assert "has no output socket 'nope'" in found[1]["reason"]


def test_required_fields_are_wired_or_have_a_default(caller: Caller) -> None:
    default = {"name": "tone", "type": "text", "required": True, "default": "dry"}
    required = {"name": "who", "type": "text", "required": True}

    assert (
        caller.create(calling(other(caller, ROW, default), field="row").body()).status_code == 201
    )
    problem = only(caller, calling(other(caller, ROW, required, name="More"), field="row"))
    assert problem == {"nodeId": "call", "reason": "Nothing is wired to the input socket 'who'"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"retry": {"attempts": 2}}, "retry: the nodes of the children have their own retries"),
        ({"over": "line"}, "over: there is no field 'line'"),
        ({"workflow": "other"}, "A For Each has a body or a workflow, not both"),
        ({"version": 1}, "version: there is no workflow that it is a version of"),
        ({"concurrency": 101}, "concurrency must be a whole number from 1 to 100"),
    ],
)
def test_wrong_settings_are_problems(caller: Caller, data: dict[str, Any], reason: str) -> None:
    graph = each_row()
    graph.nodes[1]["data"].update(data)

    assert reason in [problem["reason"] for problem in problems(caller, graph)]


def test_an_inner_problem_names_the_outer_node_and_the_path(caller: Caller) -> None:
    body = (
        upper_body().node("call", "httpRequest").node("up", "upload", asset="0" * 24, kind="image")
    )
    body.node("secret", "httpRequest", url="https://a.example", headers={"x": "{{secret.GONE}}"})
    body.node("cel", "transform", expression="value +").wire("text.text-out > cel.value-in")
    inner = each_row(body).node("in", "requestInput", fields=[ROW])

    found = problems(caller, each_row(inner))

    assert {problem["nodeId"] for problem in found} == {"each"}
    reasons = {tuple(problem["path"]): problem["reason"] for problem in found}
    assert {path[:2] for path in reasons} == {("each", "each")}
    assert {path[2]: reason.partition(" ")[0] for path, reason in reasons.items()} == {
        "call": "url",
        "up": "asset",
        "secret": "headers.x:",
        "cel": "The",
    }


def test_a_draft_is_saved_with_its_inner_problems(caller: Caller) -> None:
    body = each_row(upper_body().node("call", "httpRequest")).body()

    answer = caller.create({**body, "draft": True})

    slug = answer.json()["slug"]
    assert answer.status_code == 201
    refused = caller.run(slug)
    assert (refused.status_code, refused.json()["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    assert refused.json()["problems"][0]["path"] == ["each", "call"]


def test_the_estimate_counts_called_workflows_and_one_item(caller: Caller, chat: str) -> None:
    asking = Graph("row").node("ask", "customModel", model=chat).node("out", "responseOutput")
    asking.wire("in.row > ask.prompt-in", "ask.text-out > out.result-in")
    slug = caller.save(asking.body("Asking"))
    alone = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]
    graph = each_row(asking).node("call", "subWorkflow", workflow=slug)
    graph.node("word", "textBox", text="Hello")
    graph.wire("word.text-out > call.row", "call.result-out > out.result-in")

    found = caller.post("/api/workflows/check", {"nodes": graph.nodes, "edges": graph.edges}).json()
    nested = caller.save(calling(slug, field="row").body("Nested"))

    assert alone > 0
    estimate = found["estimate"]
    assert set(estimate["byNode"]) == {"each", "call"}
    assert estimate["isPerItem"] == ["each"]
    assert estimate["total"] == sum(estimate["byNode"].values()) > 0
    shown = caller.get(f"/api/workflows/{nested}/schema").json()
    rows = {row["slug"]: row for row in caller.get("/api/workflows").json()}
    assert shown["estimatedCreditCost"] == rows[nested]["estimatedCreditCost"] == alone
