"""The Delay: its settings, the end of its wait, and its output."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.executions.node_waits import MAX_SECONDS, NewWait, WaitKind
from engine.graph.plan import examine_graph
from engine.nodes.delay import Delay
from engine.nodes.support.base import WorkKind
from engine.values.plain import parse_moment
from tests.support.factories import Graph
from tests.support.graphs.graph_checkers import judge
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"delay": NodeSample(WorkKind.WAIT, "Control", {"seconds": 5})}
NODE = Delay()
NOW = parse_moment("2030-01-31T09:00:00Z") or 0
MOST = MAX_SECONDS * 1000


def wait_of(data: dict[str, Any], inputs: dict[str, Any]) -> int | None:
    new = NODE.begin(NODE.parse(data), inputs, NOW)
    if new is None:
        return None
    assert new == NewWait(kind=WaitKind.DELAY, duration_ms=new.duration_ms, until=new.until)
    return new.duration_ms if new.until is None else new.until - NOW


@pytest.mark.parametrize(
    ("data", "inputs", "wait"),
    [
        ({"seconds": 1.5}, {}, 1500),
        ({"seconds": 0}, {}, None),
        ({"seconds": MAX_SECONDS}, {}, MOST),
        ({"until": "2030-01-31T10:00:01.5+01:00"}, {}, 1500),
        ({"until": "2030-01-31t09:00:01z"}, {}, 1000),
        ({"until": "2020-01-31T09:00:00Z"}, {}, None),
        ({"seconds": 1}, {"seconds-in": 3}, 3000),
        ({"seconds": 1}, {"until-in": "2030-01-31T09:00:02Z"}, 2000),
        ({"until": "2030-01-31T09:00:09Z"}, {"seconds-in": 2.0}, 2000),
        ({}, {"until-in": " 2030-03-02T09:00:00Z\n"}, MOST),
        ({}, {"until-in": "1970-01-01T00:00:00Z"}, None),
    ],
)
def test_it_waits_until_its_time_and_a_wire_wins(
    data: dict[str, Any], inputs: dict[str, Any], wait: int | None
) -> None:
    assert wait_of(data, inputs) == wait


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"seconds-in": -1}, "from 0 to 2592000, and -1 came in"),
        ({"seconds-in": MAX_SECONDS + 1}, "and 2592001 came in"),
        ({"seconds-in": "60"}, "and a text came in"),
        ({"seconds-in": True}, "and true or false came in"),
        ({"seconds-in": None}, "and null came in"),
        ({"until-in": None}, "and null came in"),
        ({"until-in": "tomorrow"}, "such as 2030-01-31T09:00:00Z, and 'tomorrow' came in"),
        ({"until-in": "2030-01-31T09:00:00"}, "must be a time with its zone"),
        ({"until-in": "2030-02-31T09:00:00Z"}, "must be a time with its zone"),
        ({"until-in": 1}, "and a number came in"),
        ({"until-in": "2030-03-02T09:00:01Z"}, "must be at most 2592000 seconds (30 days) ahead"),
    ],
)
def test_a_wired_time_that_is_unreadable_or_out_of_range_fails_it(
    inputs: dict[str, Any], words: str
) -> None:
    with pytest.raises(NodeFailed) as raised:
        wait_of({}, inputs)

    assert raised.value.code == "invalid_inputs"
    assert words in raised.value.message


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"seconds": -1}, "seconds"),
        ({"seconds": MAX_SECONDS + 0.5}, "seconds"),
        ({"seconds": "5"}, "seconds"),
        ({"until": "2030-01-31"}, "until"),
        ({"until": "2030-13-31T09:00:00Z"}, "until"),
        ({"until": 5}, "until"),
        ({"seconds": 5, "retry": {"attempts": 2}}, "retry"),
        ({"seconds": 5, "timeoutSeconds": 9}, "timeoutSeconds"),
    ],
)
def test_wrong_settings_are_refused(data: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingsError) as raised:
        NODE.parse(data)

    assert [each.field for each in raised.value.faults] == [field]


def save_problems(graph: Graph) -> list[dict[str, Any]]:
    found = examine_graph(graph.nodes, graph.edges, allow_reserved=False, judge=judge)
    return [problem.as_detail() for problem in found.problems]


PAST = "2020-01-31T09:00:00Z"


@pytest.mark.parametrize(
    ("data", "wires", "field"),
    [
        ({}, (), "seconds"),
        ({"seconds": None, "until": None}, (), "seconds"),
        ({"seconds": 1, "until": PAST}, (), "until"),
        ({"seconds": 1, "until": PAST}, ("seconds-in",), None),
        ({}, ("seconds-in",), None),
        ({"until": PAST}, ("seconds-in",), None),
        ({}, ("seconds-in", "until-in"), ""),
        ({"until": "2999-01-31T09:00:00Z"}, (), "until"),
        ({"until": PAST, "onError": "continue"}, (), None),
        ({"seconds": 1, "timeoutSeconds": 5000}, (), "timeoutSeconds"),
    ],
)
def test_both_times_or_neither_are_problems_at_save(
    data: dict[str, Any], wires: tuple[str, ...], field: str | None
) -> None:
    graph = Graph().node("t", "transform", expression="1").node("wait", "delay", **data)
    for socket in wires:
        graph.wire(f"t.value-out > wait.{socket}")
    graph.node("out", "responseOutput").wire("wait.value-out > out.result-in")

    found = save_problems(graph)

    expected = [] if field is None else [{"nodeId": "wait"} | ({"field": field} if field else {})]
    assert [{k: v for k, v in each.items() if k != "reason"} for each in found] == expected


def test_it_gives_its_value_or_null() -> None:
    settings = NODE.parse({"seconds": 1})

    assert NODE.collect(settings, {"value-in": {"a": 1}}) == {"value-out": {"a": 1}}
    assert NODE.collect(settings, {}) == {"value-out": None}
    assert NODE.estimate_outputs(settings, {"value-in": "a"}) == {"value-out": "a"}
