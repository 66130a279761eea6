"""The Approval: its settings, its question, and the way that the answer chooses."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.executions.node_waits import (
    Answer,
    Answerer,
    AnswererKind,
    Decision,
    NewWait,
    OnTimeout,
    WaitKind,
)
from engine.graph.plan import examine_graph
from engine.nodes.approval import Approval
from engine.nodes.support.base import WorkKind
from engine.values.fields import parse_fields
from engine.values.sockets import SocketType
from tests.support.factories import Graph
from tests.support.graphs.graph_checkers import judge
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"approval": NodeSample(WorkKind.WAIT, "Control", {"title": "Post {{ a }}?"})}
NODE = Approval()
WEEK = 604_800_000
REASON = {"name": "reason", "type": "textarea", "required": True}


def answered(decision: Decision, by: Answerer) -> Answer:
    return Answer(decision=decision, fields={"reason": "ok"}, note=None, by=by, at=1_000)


def test_its_sockets_are_the_value_and_its_placeholders() -> None:
    settings = NODE.parse({"title": "{{ a }} {{ b.c }}?", "message": "{{a}}{{d}}"})

    sockets = NODE.inputs(settings)

    assert list(sockets) == ["value-in", "a", "b", "d"]
    assert [name for name, socket in sockets.items() if socket.required] == ["a", "b", "d"]
    outputs = NODE.outputs(settings)
    assert list(outputs) == ["approved-out", "refused-out", "answer-out"]
    assert {socket.type for socket in outputs.values()} == {SocketType.ANY}
    assert NODE.reads(settings, "b") == {"c"}
    assert NODE.reads(settings, "value-in") is None


def test_it_asks_its_question_with_the_wired_values() -> None:
    plain = NODE.begin(NODE.parse({"title": "Go?"}), {}, 1_000)
    data = {
        "title": "Post {{ a }}?",
        "message": "{{ post }}",
        "fields": [REASON],
        "timeoutSeconds": 90,
        "onTimeout": "refuse",
    }
    full = NODE.begin(NODE.parse(data), {"a": 1, "post": ["<b>"]}, 1_000)

    assert plain == NewWait(kind=WaitKind.APPROVAL, duration_ms=WEEK, title="Go?")
    assert full == NewWait(
        kind=WaitKind.APPROVAL,
        duration_ms=90_000,
        title="Post 1?",
        message='["<b>"]',
        fields=tuple(field.as_dict() for field in parse_fields([REASON])),
        on_timeout=OnTimeout.REFUSE,
    )


@pytest.mark.parametrize(("name", "most"), [("title", 500), ("message", 16_384)])
def test_a_text_that_is_too_long_is_not_asked(name: str, most: int) -> None:
    settings = NODE.parse({name: "{{ a }}"})

    new = NODE.begin(settings, {"a": "x" * most}, 0)
    with pytest.raises(NodeFailed, match=f"The {name} has {most + 1} characters") as raised:
        NODE.begin(settings, {"a": "x" * (most + 1)}, 0)

    assert len(getattr(new, name)) == most
    assert raised.value.code == "invalid_inputs"


@pytest.mark.parametrize(
    ("decision", "way"),
    [(Decision.APPROVE, "approved-out"), (Decision.REFUSE, "refused-out")],
)
def test_the_answer_chooses_the_way_and_leaves_by_its_own_socket(
    decision: Decision, way: str
) -> None:
    answer = answered(decision, Answerer(AnswererKind.SESSION, "s1"))

    outputs = NODE.collect(NODE.parse({}), {"value-in": [1]}, answer)
    nothing = NODE.collect(NODE.parse({}), {}, answered(decision, Answerer(AnswererKind.LINK)))

    assert outputs == {
        way: [1],
        "answer-out": {
            "decision": decision.value,
            "fields": {"reason": "ok"},
            "note": None,
            "by": {"kind": "session", "id": "s1"},
            "at": "1970-01-01T00:00:01.000Z",
        },
    }
    assert nothing[way] is None
    assert nothing["answer-out"]["by"] == {"kind": "link"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(604_800, "7 days"), (86_400, "1 day"), (5_400, "90 minutes"), (60.5, "60.5 seconds")],
)
def test_without_an_answer_it_fails(seconds: float, words: str) -> None:
    settings = NODE.parse({"timeoutSeconds": seconds})

    with pytest.raises(NodeFailed, match=f"Nobody answered the approval within {words}") as raised:
        NODE.collect(settings, {})

    assert raised.value.code == "approval_timeout"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"title": "{{"}, "title"),
        ({"title": "{{ value-in }}"}, "title"),
        ({"message": "{{ secret.KEY }}"}, "message"),
        ({"message": 5}, "message"),
        ({"fields": {}}, "fields"),
        ({"fields": [{"name": "a", "type": "image"}]}, "fields[0].type"),
        ({"fields": [{"name": "a", "type": "text"}, {"name": "a", "type": "text"}]}, "fields"),
        ({"timeoutSeconds": 59}, "timeoutSeconds"),
        ({"timeoutSeconds": 2_592_001}, "timeoutSeconds"),
        ({"timeoutSeconds": "60"}, "timeoutSeconds"),
        ({"onTimeout": "skip"}, "onTimeout"),
        ({"retry": {}}, "retry"),
    ],
)
def test_wrong_settings_are_refused(data: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingsError) as raised:
        NODE.parse(data)

    assert [each.field for each in raised.value.faults] == [field]


def test_its_time_is_not_bounded_as_a_call_is() -> None:
    graph = Graph("who").node("ask", "approval", title="{{ who }}?", timeoutSeconds=2_592_000)
    graph.wire("in.who > ask.who").node("out", "responseOutput")
    graph.wire("ask.approved-out > out.result-in")

    found = examine_graph(graph.nodes, graph.edges, allow_reserved=False, judge=judge)

    assert [problem.as_detail() for problem in found.problems] == []
    assert found.nodes["ask"].policy.timeout_seconds is None
