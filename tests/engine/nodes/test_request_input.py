from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.request_input import RequestInput
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.node_context import FakeContext, run_node
from tests.support.node_sample import NodeSample

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


def test_text_and_media_fields_have_a_socket_each_and_the_rest_share_one() -> None:
    kind = RequestInput()

    outputs = kind.outputs(kind.parse(DATA))

    assert outputs == {
        "topic": Socket(type=SocketType.TEXT),
        "story": Socket(type=SocketType.TEXT),
        "photo": Socket(type=SocketType.IMAGE),
        "clip": Socket(type=SocketType.VIDEO),
        "sound": Socket(type=SocketType.AUDIO),
        "params": Socket(type=SocketType.ANY),
    }
    assert kind.inputs(kind.parse(DATA)) == {}


async def test_it_gives_what_the_caller_gave_and_null_for_the_rest() -> None:
    inputs = {"topic": "cats", "photo": "https://a.example/c.png", "count": 3, "loud": False}

    outputs = await run_node("requestInput", DATA, context=FakeContext(inputs=inputs))

    assert outputs == {
        "topic": "cats",
        "story": None,
        "photo": "https://a.example/c.png",
        "clip": None,
        "sound": None,
        "params": {"count": 3, "size": None, "style": None, "loud": False, "extra": None},
    }


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


def test_a_field_of_the_shared_socket_may_be_called_params() -> None:
    assert RequestInput().parse({"fields": [{"name": "params", "type": "json"}]}).fields
