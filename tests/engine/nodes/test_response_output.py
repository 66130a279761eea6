from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.response_output import ResponseOutput, ResponseOutputSettings, plain_result
from engine.nodes.support.base import InEdge, WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"responseOutput": NodeSample(WorkKind.PURE, "Outputs", {})}

A, B = "https://a.example/1", "https://a.example/2"


async def result(*delivered: tuple[str, Any]) -> Any:
    in_edges = [
        (InEdge(socket="result-in", source=0, output="o", type=SocketType(kind)), value)
        for kind, value in delivered
    ]
    inputs = {"result-in": [value for _, value in delivered]} if delivered else {}
    outputs = await run_node("responseOutput", {}, inputs, context=FakeContext(delivered=in_edges))
    return outputs["result"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("image", A, {"images": [A]}),
        ("image", [A, B], {"images": [A, B]}),
        ("video", A, {"videos": [A]}),
        ("audio", A, {"audios": [A]}),
        ("text", "hello", {"text": "hello"}),
        ("text", "", {"text": ""}),
        ("text", ["a", "b"], ["a", "b"]),
        ("any", "hello", "hello"),
        ("any", {"k": [1]}, {"k": [1]}),
        ("any", 0, 0),
        ("any", None, None),
        ("text", None, None),
        ("image", None, None),
    ],
)
async def test_one_wire_gives_a_result_by_its_type(kind: str, value: Any, expected: Any) -> None:
    assert await result((kind, value)) == expected


async def test_several_wires_give_the_kinds_that_occur_in_the_order_of_the_edges() -> None:
    found = await result(
        ("text", "one"),
        ("image", A),
        ("any", {"k": 1}),
        ("text", "two"),
        ("image", [B]),
        ("any", "plain"),
        ("text", ["three"]),
        ("text", None),
    )

    assert found == {
        "images": [A, B],
        "texts": ["one", "two", "three"],
        "values": [{"k": 1}, "plain", None],
    }


async def test_two_media_of_other_kinds_have_their_own_names() -> None:
    assert await result(("video", A), ("audio", B)) == {"videos": [A], "audios": [B]}


async def test_nothing_delivered_is_null() -> None:
    assert await result() is None


async def test_named_inputs_give_an_object_with_plain_values() -> None:
    data = {"fields": [{"name": "title"}, {"name": "photo"}, {"name": "tags"}, {"name": "gone"}]}
    inputs = {"title": ["T"], "photo": [A], "tags": [["a"]]}

    outputs = await run_node("responseOutput", data, inputs)

    assert outputs == {"result": {"title": "T", "photo": A, "tags": ["a"], "gone": None}}


async def test_a_named_input_with_several_wires_gives_a_list_when_several_were_delivered() -> None:
    data = {"fields": [{"name": "one"}, {"name": "two"}]}

    outputs = await run_node("responseOutput", data, {"one": [None], "two": ["a", ["b"]]})

    assert outputs == {"result": {"one": None, "two": ["a", ["b"]]}}


def test_its_sockets_are_the_names_or_one_for_all() -> None:
    kind = ResponseOutput()

    assert kind.inputs(kind.parse({})) == {"result-in": Socket(type=SocketType.ANY, many=True)}
    assert kind.inputs(kind.parse({"fields": []})).keys() == {"result-in"}
    assert kind.inputs(kind.parse({"fields": [{"name": "a"}]})) == {
        "a": Socket(type=SocketType.ANY, many=True)
    }
    assert kind.outputs(kind.parse({})) == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("a", "fields must be a list"),
        ([{"name": "a"}] * 101, "fields must be a list of at most 100"),
        (["a"], r"fields\[0\].name must be"),
        ([{"name": ""}], r"fields\[0\].name must be"),
        ([{"name": "a"}, {"name": "a"}], "a name more than once"),
    ],
)
def test_names_that_are_not_right_are_refused(fields: Any, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        ResponseOutput().parse({"fields": fields})


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ([("text", "hello")], "hello"),
        ([("image", A)], A),
        ([("image", [A])], [A]),
        ([("any", {"k": [1]})], {"k": [1]}),
        ([("text", None)], None),
        ([("text", "one"), ("image", A)], {"images": [A], "texts": ["one"]}),
        ([], None),
    ],
)
def test_the_plain_result_is_the_value_of_one_wire_as_it_is(
    delivered: list[tuple[str, Any]], expected: Any
) -> None:
    in_edges = [
        (InEdge(socket="result-in", source=0, output="o", type=SocketType(kind)), value)
        for kind, value in delivered
    ]

    assert plain_result(ResponseOutputSettings(names=()), {}, in_edges) == expected


def test_the_plain_result_of_named_inputs_is_their_object() -> None:
    settings = ResponseOutputSettings(names=("a", "b", "c"))

    found = plain_result(settings, {"a": ["x"], "b": ["y", [1]]}, ())

    assert found == {"a": "x", "b": ["y", [1]], "c": None}
