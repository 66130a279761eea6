"""`POST /api/workflows/check`: problems, sockets and estimate, nothing saved."""

from typing import Any

import httpx2

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import broken, edge, greeting, node

ROUTES = {"POST /api/workflows/check": "workflow:read"}
"""The requirement of the route on its caller, as reviewed."""

PATH = "/api/workflows/check"
ANSWER = {
    "problems": [
        {"nodeId?": str, "edgeId?": str, "field?": str, "socket?": str, "reason": sentence}
    ],
    "sockets": dict,
    "estimate": {"total": int, "byNode": dict, "isPerItem": [str]},
}
SOCKETS = {
    "inputs": [{"name": str, "type": str, "many": bool, "required": bool}],
    "outputs": [{"name": str, "type": str}],
}


def graph(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("nodes", "edges")}


def check(caller: Caller, *nodes: Any, edges: Any = (), **more: Any) -> Any:
    answer = caller.post(PATH, {"nodes": list(nodes), "edges": list(edges), **more})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert_fits(body, ANSWER)
    for sockets in body["sockets"].values():
        assert_fits(sockets, SOCKETS)
    return body


def names(sockets: Any) -> tuple[list[str], list[str]]:
    return [s["name"] for s in sockets["inputs"]], [s["name"] for s in sockets["outputs"]]


def test_a_graph_that_can_run_has_no_problems(caller: Caller) -> None:
    answer = caller.post(PATH, graph(greeting()))

    assert answer.status_code == 200
    body = answer.json()
    assert_fits(body, ANSWER)
    assert body["problems"] == []
    assert body["sockets"]["text"] == {
        "inputs": [{"name": "name", "type": "any", "many": False, "required": True}],
        "outputs": [
            {"name": "text-out", "type": "text"},
            {"name": "error-out", "type": "any"},
        ],
    }
    assert body["sockets"]["out"]["inputs"] == [
        {"name": "result-in", "type": "any", "many": True, "required": False}
    ]
    assert body["estimate"] == {"total": 0, "byNode": {}, "isPerItem": []}


def test_the_problems_are_those_of_a_save_and_name_fields_and_sockets(caller: Caller) -> None:
    document = broken()
    document["nodes"].append(node("c", "list", mode="drop", items=[{"value": 1}, 2]))
    document["nodes"].append(node("d", "textBox", text="{{ name }}"))
    document["edges"].append(edge("d", "smoke-out", "d", "name"))
    document["edges"].append(edge("b", "text-out", "d", "nose"))

    problems = caller.post(PATH, graph(document)).json()["problems"]

    refused = caller.post("/api/workflows", document).json()["problems"]
    assert [
        {name: each[name] for name in each if name in ("nodeId", "edgeId", "reason")}
        for each in problems
    ] == refused
    places = [(each.get("nodeId"), each.get("field"), each.get("socket")) for each in problems]
    assert ("c", "mode", None) in places
    assert ("c", "items[1]", None) in places
    assert (None, None, "smoke-out") in places
    assert (None, None, "nose") in places


def test_an_input_socket_without_an_edge_is_named(caller: Caller) -> None:
    body = check(caller, node("text", "textBox", text="{{ a }}"))

    assert body["problems"] == [
        {"nodeId": "text", "socket": "a", "reason": "Nothing is wired to the input socket 'a'"}
    ]


def test_sockets_are_those_of_now_while_other_settings_are_wrong(caller: Caller) -> None:
    body = check(
        caller,
        node("ask", "requestInput", fields=[{"name": "a", "type": "text"}, {"name": ""}]),
        node("text", "textBox", text="{{ a }} {{ oops"),
        node("sum", "transform", expression="a +", variables=["a"]),
        node("way", "switch", cases=[{"name": "big", "when": "value >"}]),
        node("any", "customModel", model="echo", temperature="hot"),
        node("gone", "assistant", model="nobody", prompt="{{ b }}"),
    )

    assert {each["nodeId"] for each in body["problems"]} == set(body["sockets"])
    found = {node_id: names(each) for node_id, each in body["sockets"].items()}
    assert found["ask"] == ([], ["a", "params"])
    assert found["text"] == (["a"], ["text-out", "error-out"])
    assert found["sum"] == (["value-in", "a"], ["value-out", "error-out"])
    assert found["way"] == (["value-in"], ["big", "else-out", "error-out"])
    assert found["any"] == (["prompt-in", "params-in"], ["text-out", "error-out"])
    assert "b" in found["gone"][0]
    outputs = ["text-out", "analysis-out", "items-out", "json-out", "error-out"]
    assert found["gone"][1] == outputs


def test_charged_nodes_are_estimated_one_by_one(caller: Caller) -> None:
    nodes = [
        node("say", "customModel", model="echo", prompt="Hello"),
        node("out", "responseOutput"),
    ]

    body = check(caller, *nodes, edges=[edge("say", "text-out", "out", "result-in")])

    assert set(body["estimate"]["byNode"]) == {"say"}
    assert body["estimate"]["total"] == body["estimate"]["byNode"]["say"]


def test_a_check_saves_nothing_and_its_path_is_no_slug(caller: Caller) -> None:
    before = caller.get("/api/workflows").json()

    caller.post(PATH, graph(greeting("Check")))

    assert caller.get("/api/workflows").json() == before
    assert caller.get(PATH).status_code == 404
    slug = caller.save(greeting("Check"))
    assert caller.get(f"/api/workflows/{slug}").json()["slug"] == slug


def test_a_body_of_another_shape_is_refused(caller: Caller) -> None:
    for body, field in [
        ({"edges": []}, "nodes"),
        ({"nodes": []}, "edges"),
        ({"nodes": [1], "edges": []}, "nodes[0]"),
        ({"nodes": [], "edges": [], "inputs": []}, "inputs"),
    ]:
        answer = caller.post(PATH, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
        assert answer.json()["field"] == field


def test_inputs_that_a_run_would_refuse_are_problems(caller: Caller) -> None:
    document = greeting()

    body = check(caller, *document["nodes"], edges=document["edges"], inputs={"name": 5})

    assert body["problems"] == [
        {
            "nodeId": "in",
            "field": "inputs.name",
            "reason": "Input 'name': must be a text, not a number",
        }
    ]


def test_a_check_needs_the_capability_to_read(
    administration: Administration, anonymous: httpx2.Client
) -> None:
    account = administration.account("pro")
    running = Caller(anonymous)

    answer = anonymous.post(PATH, json=graph(greeting()))
    assert answer.status_code == 401
    key = administration.key(account, "workflow:run")
    answer = running.post(PATH, graph(greeting()), headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["required"]) == (403, "workflow:read")
