"""Checks of graphs by themselves."""

from decimal import Decimal
from typing import Any

import pytest

from engine.graph.plan import examine_graph
from engine.services.workflows.check_workflow import WorkflowCheck, check_graph
from tests.support.gateway.documents import edge, greeting, node
from tests.support.graphs.graph_checkers import judge


def check(*nodes: Any, edges: Any = (), **options: Any) -> WorkflowCheck:
    graph = examine_graph(nodes, edges, allow_private=False, allow_reserved=False, judge=judge)
    return check_graph(graph, Decimal(1), **options)


def test_a_cycle_is_left_out_of_the_estimate() -> None:
    nodes = [
        node("a", "textBox", text="{{ b }}"),
        node("b", "textBox", text="{{ a }}"),
        node("say", "customModel", model="echo", prompt="Hello"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("a", "text-out", "b", "a"),
        edge("b", "text-out", "a", "b"),
        edge("say", "text-out", "out", "result-in"),
    ]

    found = check(*nodes, edges=edges)

    assert [problem.node_id for problem in found.problems] == ["a"]
    assert list(found.costs) == ["say"]


def test_a_node_that_the_output_does_not_need_costs_nothing() -> None:
    found = check(node("say", "customModel", model="echo", prompt="Hello"))

    assert found.costs == {}


def test_inputs_are_checked_one_by_one() -> None:
    document = greeting()

    found = check(*document["nodes"], edges=document["edges"], inputs={"name": 5, "other": 1})

    assert [(each.node_id, each.field) for each in found.problems] == [("in", "inputs.name")]
    missing = check(*document["nodes"], edges=document["edges"], inputs={})
    assert [str(each.reason) for each in missing.problems] == ["Input 'name': is required"]


def test_a_graph_over_the_limits_has_no_sockets() -> None:
    found = check(*(node(f"n{i}", "note") for i in range(1_001)))

    assert (len(found.problems), found.sockets) == (1, {})


FIELD = {"name": "a", "type": "number"}


@pytest.mark.parametrize(
    ("node_type", "data", "field"),
    [
        ("requestInput", {"fields": [FIELD, {**FIELD, "name": 1}]}, "fields[1].name"),
        ("requestInput", {"fields": [{**FIELD, "options": ["x"]}]}, "fields[0].options[0]"),
        ("requestInput", {"fields": [FIELD, FIELD]}, "fields"),
        ("requestInput", {"values": 1}, "values"),
        ("upload", {"asset": "x"}, "asset"),
        ("textBox", {"text": "{{ oops"}, "text"),
        ("list", {"kind": "image", "items": [{"value": 1}]}, "items[0].value"),
        ("list", {"items": [{"value": 1, "included": 1}]}, "items[0].included"),
        ("httpRequest", {"url": "ftp://a.example/"}, "url"),
        ("httpRequest", {"url": "http://127.0.0.1/"}, "url"),
        ("httpRequest", {"url": "https://a.example", "headers": {"Host": "x"}}, "headers.Host"),
        (
            "httpRequest",
            {"url": "https://a.example", "bodyType": "form", "body": {"a": 1}},
            "body.a",
        ),
        ("assistant", {"model": "nobody"}, "model"),
        ("assistant", {"model": "echo", "prompt": "x", "seed": 1, "exportMode": "x"}, "exportMode"),
        ("assistant", {"model": "echo", "prompt": "x", "maxTokens": 1}, "maxTokens"),
        ("imageGenerator", {"model": "nano-banana", "prompt": "x", "count": 99}, "count"),
        ("customModel", {"model": "echo", "prompt": 1}, "prompt"),
        ("imageResize", {"width": 0}, "width"),
        ("imageCaption", {"text": "x", "color": "red"}, "color"),
        ("transform", {"expression": "a", "variables": ["a", "in"]}, "variables[1]"),
        ("transform", {"expression": "a"}, "expression"),
        ("switch", {"cases": [{"name": "a", "when": "b"}]}, "cases[0].when"),
        ("switch", {"cases": [{"name": "a-b", "when": "b"}]}, "cases[0].name"),
        ("merge", {"mode": "some"}, "mode"),
        ("responseOutput", {"fields": [{"name": "a"}, {}]}, "fields[1].name"),
        ("note", {"text": 1}, "text"),
        ("note", {"retry": {"attempts": 0}}, "retry.attempts"),
        ("note", {"retry": {"backoff": -1}}, "retry.backoff"),
        ("note", {"timeoutSeconds": 0}, "timeoutSeconds"),
        ("note", {"onError": "ask"}, "onError"),
        ("note", {"fallback": 1}, "fallback"),
        ("textBox", {"onError": "fallback", "fallback": 1}, "fallback"),
        ("textBox", {"onError": "fallback", "fallback": {"text-out": 1}}, "fallback.text-out"),
        ("note", {"cache": True}, "cache"),
    ],
)
def test_a_problem_names_its_setting(node_type: str, data: dict[str, Any], field: str) -> None:
    found = check({"id": "a", "type": node_type, "data": data})

    assert [each.field for each in found.problems if each.socket is None] == [field]
    assert list(found.sockets) == ["a"]


@pytest.mark.parametrize(
    ("node_type", "data", "inputs", "outputs"),
    [
        ("upload", {"kind": "audio"}, [], ["audio-out"]),
        ("httpRequest", {"url": "{{ u }}{{", "body": "{{ b }}"}, ["u", "b"], ["status-out"]),
        ("httpRequest", {"bodyType": "x", "body": "{{ b }}"}, ["b"], ["status-out"]),
        ("imageGenerator", {"prompt": "{{ p }}"}, ["image-in", "p"], ["image-out"]),
        ("imageGenerator", {"model": "seedance"}, ["image-in", "params-in"], ["image-out"]),
        ("imageCaption", {"text": "{{ t }}", "size": 0}, ["text-in", "t"], ["image-out"]),
        ("customModel", {}, ["params-in"], []),
        ("customModel", {"model": "echo", "values": 1}, ["prompt-in"], ["text-out"]),
        ("condition", {"variables": ["a", "in", "b"]}, ["a", "b"], ["true-out", "false-out"]),
        ("merge", {"mode": 1}, ["value-in"], ["value-out"]),
        ("responseOutput", {"fields": [{"name": "a"}, {}]}, ["a"], []),
    ],
)
def test_wrong_settings_leave_the_sockets_that_they_tell(
    node_type: str, data: dict[str, Any], inputs: list[str], outputs: list[str]
) -> None:
    found = check({"id": "a", "type": node_type, "data": data})

    assert found.problems
    sockets = found.sockets["a"]
    assert set(inputs) <= {each["name"] for each in sockets["inputs"]}
    assert set(outputs) <= {each["name"] for each in sockets["outputs"]}
