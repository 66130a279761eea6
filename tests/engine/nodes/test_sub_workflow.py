"""The Sub-workflow: its sockets, the inputs of its child and its outputs."""

from dataclasses import replace
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.executions.batches import ItemStatus
from engine.nodes.sub_workflow import SubWorkflow
from engine.nodes.support.base import WorkKind
from engine.nodes.support.children import (
    Callee,
    CalleeInterface,
    ChildrenSettings,
    ChildrenSpec,
    ChildResult,
)
from engine.nodes.support.settings import Faults
from engine.values.fields import parse_fields
from engine.values.sockets import SocketType
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"subWorkflow": NodeSample(WorkKind.CHILDREN, "Control", {"workflow": "other"})}
FIELDS = parse_fields(
    [
        {"name": "topic", "type": "text", "required": True},
        {"name": "photo", "type": "image"},
        {"name": "tone", "type": "text", "required": True, "default": "dry"},
        {"name": "more", "type": "json"},
    ]
)
NODE = SubWorkflow()


def connected(*outputs: str, wired: frozenset[str] = frozenset()) -> ChildrenSettings:
    settings = NODE.parse({"workflow": "other"})
    interface = CalleeInterface(fields=FIELDS, outputs=outputs)
    return replace(NODE.connect(settings, interface, Faults()), wired=wired)


def done(value: Any) -> list[ChildResult]:
    return [ChildResult(status=ItemStatus.COMPLETED, value=value)]


def test_it_calls_the_live_version_or_one_by_number() -> None:
    assert NODE.callee(NODE.parse({"workflow": "a-b"})) == Callee(workflow="a-b")
    assert NODE.callee(NODE.parse({"workflow": "a", "version": 3})) == Callee(
        workflow="a", version=3
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "workflow"),
        ({"workflow": ""}, "workflow"),
        ({"workflow": "A b"}, "workflow"),
        ({"workflow": "a", "version": 0}, "version"),
        ({"workflow": "a", "version": "1"}, "version"),
        ({"workflow": "a", "retry": {"attempts": 2}}, "retry"),
        ({"workflow": "a", "retry": {}}, "retry"),
    ],
)
def test_wrong_settings_are_refused(data: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingsError) as raised:
        NODE.parse(data)

    assert [each.field for each in raised.value.faults] == [field]


def test_it_has_a_socket_for_each_field_and_each_named_output() -> None:
    settings = connected("title", "result-out")

    sockets = NODE.inputs(settings)
    assert {name: socket.type for name, socket in sockets.items()} == {
        "topic": SocketType.TEXT,
        "photo": SocketType.IMAGE,
        "tone": SocketType.TEXT,
        "more": SocketType.ANY,
    }
    assert [name for name, socket in sockets.items() if socket.required] == ["topic"]
    assert list(NODE.outputs(settings)) == ["result-out", "title"]
    assert {socket.type for socket in NODE.outputs(settings).values()} == {SocketType.ANY}


def test_its_child_gets_the_wired_values() -> None:
    spec = NODE.begin(connected(), {"topic": "a", "more": None, "photo": None}, FIELDS)

    assert spec == ChildrenSpec(shared={"topic": "a", "more": None})


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "Workflow 'other': Input 'topic': is required"),
        ({"topic": None}, "Workflow 'other': Input 'topic': is required"),
        ({"topic": 1}, "Workflow 'other': Input 'topic': must be a text, not a number"),
        ({"topic": "a", "gone": "b"}, "Workflow 'other': There is no input 'gone' any more"),
    ],
)
def test_a_value_that_does_not_fit_fails_the_node(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        NODE.begin(connected(), inputs, FIELDS)

    assert (raised.value.code, raised.value.message) == ("invalid_inputs", message)


def test_its_outputs_are_the_result_and_its_wired_members() -> None:
    result = {"title": "T", "text": None, "more": 1}

    outputs = NODE.collect(
        connected("title", "text", wired=frozenset({"result-out", "text"})), done(result)
    )

    assert outputs == {"result-out": result, "text": None}
    assert NODE.collect(connected(), done("plain")) == {"result-out": "plain"}
    branching = connected(wired=frozenset({"error-out", "result-out"}))
    assert NODE.collect(branching, done("plain")) == {"result-out": "plain"}


@pytest.mark.parametrize("result", [{"text": "a"}, "plain", None])
def test_an_output_that_the_workflow_has_lost_fails_the_node(result: Any) -> None:
    message = "The workflow 'other' has no output 'title' any more"

    with pytest.raises(NodeFailed, match=message) as raised:
        NODE.collect(connected("title", wired=frozenset({"title"})), done(result))

    assert raised.value.code == "output_missing"


def test_it_fails_with_the_code_of_its_child() -> None:
    error = {"code": "http_status", "message": "The server answered 500"}

    with pytest.raises(NodeFailed) as raised:
        NODE.collect(connected(), [ChildResult(status=ItemStatus.FAILED, error=error)])

    assert (raised.value.code, raised.value.message) == tuple(error.values())
    with pytest.raises(NodeFailed) as raised:
        NODE.collect(connected(), [ChildResult(status=ItemStatus.CANCELLED)])
    assert raised.value.code == "cancelled"
