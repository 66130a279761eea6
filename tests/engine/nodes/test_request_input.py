from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.request_input import RequestInput, outputs_of
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "requestInput": NodeSample(
        WorkKind.PURE,
        "Inputs",
        {"fields": [{"name": "a", "type": "text"}, {"name": "b", "type": "json"}]},
    )
}

DATA: dict[str, Any] = {
    "fields": [
        {"name": "topic", "type": "text"},
        {"name": "story", "type": "textarea"},
        {"name": "photo", "type": "image"},
        {"name": "clip", "type": "video"},
        {"name": "sound", "type": "audio"},
        {"name": "count", "type": "number"},
        {"name": "size", "type": "slider"},
        {"name": "style", "type": "pills", "options": ["a"]},
        {"name": "loud", "type": "toggle"},
        {"name": "extra", "type": "json"},
    ]
}


def test_each_field_has_a_socket_named_after_it_and_params_has_the_rest_together() -> None:
    kind = RequestInput()

    outputs = kind.outputs(kind.parse(DATA))

    assert outputs == {
        "topic": Socket(type=SocketType.TEXT),
        "story": Socket(type=SocketType.TEXT),
        "photo": Socket(type=SocketType.IMAGE),
        "clip": Socket(type=SocketType.VIDEO),
        "sound": Socket(type=SocketType.AUDIO),
        "count": Socket(type=SocketType.ANY),
        "size": Socket(type=SocketType.ANY),
        "style": Socket(type=SocketType.ANY),
        "loud": Socket(type=SocketType.ANY),
        "extra": Socket(type=SocketType.ANY),
        "params": Socket(type=SocketType.ANY),
    }
    assert kind.inputs(kind.parse(DATA)) == {}


async def test_it_gives_what_the_caller_gave_and_null_for_the_rest() -> None:
    inputs = {"topic": "cats", "photo": "https://a.example/c.png", "count": 3, "loud": False}

    outputs = outputs_of(RequestInput().parse(DATA).fields, inputs)

    assert outputs == {
        "topic": "cats",
        "story": None,
        "photo": "https://a.example/c.png",
        "clip": None,
        "sound": None,
        "count": 3,
        "size": None,
        "style": None,
        "loud": False,
        "extra": None,
        "params": {"count": 3, "size": None, "style": None, "loud": False, "extra": None},
    }


@pytest.mark.parametrize(
    ("wired", "given"),
    [
        ((), {"params": {"a": 1, "b": None}}),
        (("params",), {"params": {"a": 1, "b": None}}),
        (("a",), {"a": 1}),
        (("b", "params"), {"b": None, "params": {"a": 1, "b": None}}),
    ],
)
async def test_a_value_without_a_typed_socket_is_given_where_it_is_wired(
    wired: tuple[str, ...], given: dict[str, Any]
) -> None:
    fields = [{"name": "a", "type": "number"}, {"name": "b", "type": "json"}]
    kind = RequestInput()
    settings = kind.bind(kind.parse({"fields": fields}), frozenset(wired))

    assert await kind.run(settings, {}, FakeContext(inputs={"a": 1})) == given


async def test_inputs_that_no_field_names_go_nowhere() -> None:
    assert await run_node("requestInput", {}, context=FakeContext(inputs={"x": 1})) == {
        "params": {}
    }


def test_saved_values_of_fields_that_are_gone_are_dropped() -> None:
    settings = RequestInput().parse({**DATA, "values": {"topic": "cats", "old": 1}})

    assert settings.values == {"topic": "cats"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"fields": {}}, "fields must be a list"),
        ({"fields": [{"name": "params", "type": "text"}]}, "'params' is taken"),
        ({"values": []}, "values must be an object"),
        ({"strict": "yes"}, "strict must be true or false"),
    ],
)
def test_settings_that_are_not_right_are_refused(data: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        RequestInput().parse(data)


async def test_a_saved_field_that_is_called_params_runs_and_cannot_be_saved_again() -> None:
    kind = RequestInput()

    settings = kind.parse({"fields": [{"name": "params", "type": "json"}]})

    assert kind.outputs(settings) == {"params": Socket(type=SocketType.ANY)}
    inputs = {"params": [1]}
    assert await kind.run(settings, {}, FakeContext(inputs=inputs)) == {"params": inputs}
    (fault,) = kind.outdated(settings)
    assert fault.field == "fields[0].name"
    assert fault.reason == "fields[0].name: the name 'params' is taken by the socket 'params'"
