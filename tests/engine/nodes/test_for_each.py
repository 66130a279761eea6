"""The For Each: its sockets, the inputs of its children and its outputs."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed, SettingsError
from engine.executions.batches import ItemStatus
from engine.nodes.for_each import ForEach
from engine.nodes.support.base import WorkKind
from engine.nodes.support.children import (
    Callee,
    CalleeInterface,
    ChildrenSettings,
    ChildrenSpec,
    ChildResult,
    OnItemError,
)
from engine.nodes.support.settings import Faults
from engine.values.fields import Field, parse_fields
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"forEach": NodeSample(WorkKind.CHILDREN, "Control", {"workflow": "other"})}
NODE = ForEach()
BODY: dict[str, Any] = {"nodes": [], "edges": []}
ROW = {"name": "row", "type": "text", "required": True}
INDEX = {"name": "index", "type": "number", "required": True}
TONE = {"name": "tone", "type": "text", "required": True}
ERROR = {"code": "timeout", "message": "No answer"}
DONE, FAILED, CANCELLED = ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED


def fields(*raw: dict[str, Any]) -> tuple[Field, ...]:
    return parse_fields(list(raw))


def connected(*raw: dict[str, Any], **data: Any) -> ChildrenSettings:
    faults = Faults()
    settings = NODE.connect(
        NODE.parse({"body": BODY, **data}), CalleeInterface(fields=fields(*raw)), faults
    )
    faults.finish()
    return settings


def ends(*each: Any) -> list[ChildResult]:
    return [
        ChildResult(status=FAILED, error=end)
        if isinstance(end, dict)
        else ChildResult(status=CANCELLED)
        if end is CANCELLED
        else ChildResult(status=DONE, value=end)
        for end in each
    ]


def test_it_has_a_body_or_calls_a_workflow() -> None:
    assert NODE.callee(NODE.parse({"body": BODY})) is None
    assert NODE.callee(NODE.parse({"workflow": "a", "version": 2})) == Callee(
        workflow="a", version=2
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "body"),
        ({"body": {}}, "body"),
        ({"body": {"nodes": [], "edges": [1]}}, "body"),
        ({"body": {"nodes": [{"id": 1, "type": "note"}], "edges": []}}, "body"),
        ({"body": {"nodes": [{"id": "a", "type": "note", "data": None}], "edges": []}}, "body"),
        ({"body": {"nodes": [], "edges": [{"id": "e", "source": "a"}]}}, "body"),
        ({"body": BODY, "workflow": "a"}, "workflow"),
        ({"body": BODY, "version": 1}, "version"),
        ({"body": BODY, "retry": {"attempts": 1}}, "retry"),
        ({"body": BODY, "concurrency": 101}, "concurrency"),
        ({"body": BODY, "concurrency": 0}, "concurrency"),
        ({"body": BODY, "onItemError": "continue"}, "onItemError"),
        ({"body": BODY, "over": 1}, "over"),
    ],
)
def test_wrong_settings_are_refused(data: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingsError) as raised:
        NODE.parse(data)

    assert field in [each.field for each in raised.value.faults]


def test_the_field_that_takes_the_item_must_be_there() -> None:
    with pytest.raises(SettingsError, match="over: there is no field 'line'"):
        connected(ROW, over="line")
    with pytest.raises(SettingsError, match="has no field that takes the item"):
        connected()


def test_the_socket_of_the_items_is_required_and_that_of_the_index_is_not() -> None:
    settings = connected(TONE, {**ROW, "required": False}, INDEX, over="row")

    sockets = NODE.inputs(settings)
    assert list(sockets) == ["tone", "row", "index"]
    assert [name for name, socket in sockets.items() if socket.required] == ["tone", "row"]
    assert list(NODE.outputs(settings)) == ["results-out", "errors-out"]


def test_each_child_gets_its_item_and_the_shared_values() -> None:
    settings = connected(ROW, TONE, concurrency=3, onItemError="skip")

    spec = NODE.begin(settings, {"row": ["a", 1, None], "tone": "dry"}, fields(ROW, TONE))

    assert spec == ChildrenSpec(
        shared={"tone": "dry"},
        over="row",
        items=["a", 1, None],
        concurrency=3,
        on_item_error=OnItemError.SKIP,
    )


def test_the_default_is_the_first_field_ten_at_a_time_and_failing() -> None:
    spec = NODE.begin(connected(ROW), {"row": []}, fields(ROW))

    assert spec == ChildrenSpec(shared={}, over="row", items=[], concurrency=10)


@pytest.mark.parametrize(
    ("inputs", "over", "with_index", "shared"),
    [
        ({"row": [1]}, "row", True, {}),
        ({"row": [1], "index": 7}, "row", False, {"index": 7}),
        ({"index": [1], "row": "x"}, "index", False, {"row": "x"}),
    ],
)
def test_an_unwired_field_index_gets_the_number_of_the_item(
    inputs: dict[str, Any], over: str, with_index: bool, shared: dict[str, Any]
) -> None:
    spec = NODE.begin(connected(ROW, INDEX, over=over), inputs, fields(ROW, INDEX))

    assert (spec.over, spec.with_index, spec.shared) == (over, with_index, shared)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"tone": "a"}, "Input 'row': must be a list, not null"),
        ({"row": "abc", "tone": "a"}, "Input 'row': must be a list, not a text"),
        ({"row": [0] * 10_001, "tone": "a"}, "Input 'row': has 10001 items; at most 10000 are"),
        ({"row": [], "tone": 1}, "Input 'tone': must be a text, not a number"),
        ({"row": []}, "Input 'tone': is required"),
        ({"row": [], "tone": "a", "gone": 1}, "There is no input 'gone' any more"),
    ],
)
def test_values_that_do_not_fit_fail_the_node(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(NodeFailed, match=message) as raised:
        NODE.begin(connected(ROW, TONE), inputs, fields(ROW, TONE))

    assert raised.value.code == "invalid_inputs"


def test_a_workflow_that_has_lost_the_field_of_the_items_fails_the_node() -> None:
    settings = NODE.parse({"workflow": "other", "over": "row"})

    with pytest.raises(NodeFailed, match="no field 'row'") as raised:
        NODE.begin(settings, {"row": [1]}, fields(TONE))

    assert raised.value.code == "invalid_inputs"


@pytest.mark.parametrize(
    ("on_item_error", "results"), [("null", ["a", None, None]), ("skip", ["a", None])]
)
def test_failed_items_are_null_or_left_out(on_item_error: str, results: list[Any]) -> None:
    outputs = NODE.collect(connected(ROW, onItemError=on_item_error), ends("a", ERROR, None))

    assert outputs == {"results-out": results, "errors-out": [{"index": 1, **ERROR}]}


def test_no_items_give_empty_lists() -> None:
    assert NODE.collect(connected(ROW), []) == {"results-out": [], "errors-out": []}


def test_the_first_failed_item_fails_the_node() -> None:
    results = ends("a", CANCELLED, ERROR, {"code": "other", "message": "x"})

    with pytest.raises(NodeFailed) as raised:
        NODE.collect(connected(ROW), results)

    assert (raised.value.code, raised.value.message) == ("timeout", "Item 2: No answer")


@pytest.mark.parametrize("on_item_error", list(OnItemError))
def test_a_run_that_is_over_its_credits_fails_the_node_in_any_case(on_item_error: str) -> None:
    over = {"code": "MAX_CREDITS_EXCEEDED", "message": "Over"}

    with pytest.raises(NodeFailed) as raised:
        NODE.collect(connected(ROW, onItemError=on_item_error), ends(ERROR, over))

    assert (raised.value.code, raised.value.message) == (over["code"], "Item 1: Over")


@pytest.mark.parametrize("on_item_error", list(OnItemError))
def test_a_child_that_somebody_cancelled_fails_the_node(on_item_error: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        NODE.collect(connected(ROW, onItemError=on_item_error), ends("a", CANCELLED))

    assert raised.value.code == "cancelled"
