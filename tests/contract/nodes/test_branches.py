from typing import Any

import pytest

from tests.contract.nodes.test_nodes import OUT, TO_VALUE, VALUE, given, to_out
from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub


def statuses(caller: Caller, slug: str, inputs: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return the result of a run, and the status of each node."""
    shown = caller.ended(caller.start(slug, inputs))
    assert shown["status"] == "completed", shown["error"]
    return shown["result"], {each["id"]: each["status"] for each in shown["nodes"]}


@pytest.mark.parametrize(("value", "is_sent"), [(7, True), (1, False)])
def test_a_call_behind_a_branch_is_sent_only_when_the_branch_is_taken(
    caller: Caller, stub: Stub, value: int, is_sent: bool
) -> None:
    body = '{"order": {{ order }}, "by": "{{ who }}"}'
    nodes = [
        form(field("v", "number"), field("who", "text")),
        VALUE,
        node("is", "condition", expression="value > 3.0"),
        node("call", "httpRequest", url=f"{stub.url}/orders", method="POST", body=body),
        OUT,
    ]
    edges = [
        TO_VALUE,
        edge("value", "value-out", "is", "value-in"),
        edge("is", "true-out", "call", "order"),
        edge("in", "who", "call", "who"),
        to_out("call", "response-out"),
    ]
    slug = caller.save(workflow(nodes, edges))

    result, ended = statuses(caller, slug, {"v": value, "who": "Ada"})

    assert [request.body for request in stub.requests] == (
        [b'{"order": 7, "by": "Ada"}'] if is_sent else []
    )
    assert ended["call"] == ("completed" if is_sent else "skipped")
    assert ended["out"] == "completed"
    assert is_sent or result is None


BRANCHES = [
    form(field("v", "json")),
    VALUE,
    node(
        "size",
        "switch",
        cases=[
            {"name": "small", "when": "value < 10.0"},
            {"name": "medium", "when": "value < 100.0"},
        ],
    ),
    node("s", "textBox", text="small {{ it }}"),
    node("m", "textBox", text="medium {{ it }}"),
    node("l", "textBox", text="large {{ it }}"),
]
TO_BRANCHES = [
    TO_VALUE,
    edge("value", "value-out", "size", "value-in"),
    edge("size", "small", "s", "it"),
    edge("size", "medium", "m", "it"),
    edge("size", "else-out", "l", "it"),
]


@pytest.mark.parametrize(
    ("value", "taken", "text"),
    [(9, "s", "small 9"), (10, "m", "medium 10"), (100, "l", "large 100")],
)
def test_a_switch_takes_the_first_case_that_is_true_and_a_merge_brings_the_ways_together(
    caller: Caller, value: int, taken: str, text: str
) -> None:
    nodes = [*BRANCHES, node("any", "merge"), OUT]
    edges = [
        *TO_BRANCHES,
        *(edge(each, "text-out", "any", "value-in") for each in "sml"),
        to_out("any", "value-out"),
    ]

    result, ended = statuses(caller, caller.save(workflow(nodes, edges)), {"v": value})

    assert result == text
    assert [each for each in "sml" if ended[each] == "completed"] == [taken]
    assert [each for each in "sml" if ended[each] == "skipped"] == [*"sml".replace(taken, "")]


@pytest.mark.parametrize(("mode", "expected"), [("first", "b"), ("all", ["b", "a"]), (None, "b")])
def test_a_merge_gives_the_first_or_all_values_in_the_order_of_the_edges(
    caller: Caller, mode: str | None, expected: Any
) -> None:
    nodes = [
        node("a", "textBox", text="a"),
        node("b", "textBox", text="b"),
        node("any", "merge", **({} if mode is None else {"mode": mode})),
        OUT,
    ]
    edges = [
        edge("b", "text-out", "any", "value-in"),
        edge("a", "text-out", "any", "value-in"),
        to_out("any", "value-out"),
    ]

    assert caller.result(nodes, edges, {}) == expected


def test_a_merge_that_nothing_reached_is_skipped(caller: Caller) -> None:
    nodes = given(
        node("is", "condition", expression="false"), node("any", "merge"), node("after", "merge")
    )
    edges = [
        edge("in", "params", "is", "value-in"),
        edge("is", "true-out", "any", "value-in"),
        edge("any", "value-out", "after", "value-in"),
        to_out("after", "value-out"),
    ]

    result, ended = statuses(caller, caller.save(workflow(nodes, edges)), {"v": 1})

    assert (result, ended["any"], ended["after"], ended["out"]) == (
        None,
        "skipped",
        "skipped",
        "completed",
    )


def test_a_named_output_takes_the_branch_that_came_and_is_null_when_none_did(
    caller: Caller,
) -> None:
    names = [{"name": "text"}, {"name": "other"}, {"name": "both"}]
    nodes = [*BRANCHES, node("out", "responseOutput", fields=names)]
    edges = [
        *TO_BRANCHES,
        *(edge(each, "text-out", "out", "text") for each in "sm"),
        edge("l", "text-out", "out", "other"),
        edge("value", "value-out", "out", "both"),
        edge("m", "text-out", "out", "both"),
    ]

    assert caller.result(nodes, edges, {"v": 50}) == {
        "text": "medium 50",
        "other": None,
        "both": [50, "medium 50"],
    }


def test_variables_are_sockets_and_names_in_expressions(caller: Caller) -> None:
    nodes = [
        form(field("price", "json"), field("who", "text")),
        node("price", "transform", expression="value.price"),
        node("line", "transform", expression="who + ': ' + string(p)", variables=["who", "p"]),
        node("is", "condition", expression="p > 3.0", variables=["p"]),
        OUT,
    ]
    edges = [
        edge("in", "params", "price", "value-in"),
        edge("price", "value-out", "line", "p"),
        edge("in", "who", "line", "who"),
        edge("price", "value-out", "is", "p"),
        edge("line", "value-out", "is", "value-in"),
        to_out("is", "true-out"),
    ]

    assert caller.result(nodes, edges, {"price": 4.5, "who": "Ada"}) == "Ada: 4.5"


def test_cases_that_are_none_are_problems_at_save(caller: Caller) -> None:
    cases = [{"name": "a-b", "when": "true"}, {"name": "c", "when": "1 +"}]
    nodes = given(node("way", "switch", cases=cases))
    edges = [edge("in", "params", "way", "value-in")]

    answer = caller.post("/api/workflows", workflow(nodes, edges))

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    reasons = [each["reason"] for each in answer.json()["problems"] if each.get("nodeId") == "way"]
    assert len(reasons) == 2
    assert "cases[0].name" in reasons[0] and "cases[1].when" in reasons[1]
