"""Speak: the text as a template or a wire, the voice, and a sound for each item."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from engine.graph.plan import check_graph
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes import node_type
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.models.speech_models import all_models
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "speak": NodeSample(
        WorkKind.IO, "Speech", {"model": "gpt-speech", "text": "hello {{ a }}"}, is_charged=True
    )
}


@pytest.fixture(autouse=True)
def models() -> Iterator[None]:
    with use_models(all_models()):
        yield


async def calls_of(data: dict[str, Any], inputs: dict[str, Any]) -> list[Any]:
    context = FakeContext()
    await run_node("speak", {"model": "speaker", **data}, inputs, context=context)
    return context.model_values


def reasons(**data: Any) -> list[str]:
    return [each.reason for each in check_graph([node("s", "speak", **data)], [])]


def test_the_sockets_are_those_of_the_contract() -> None:
    found = node_type("speak")
    assert found is not None
    settings = found.parse({"model": "speaker", "text": "hi"})

    assert found.inputs(settings) == {"text-in": Socket(type=SocketType.TEXT)}
    assert found.outputs(settings) == {"audio-out": Socket(type=SocketType.AUDIO)}


async def test_the_text_is_a_template_and_a_wire_takes_its_place() -> None:
    assert await calls_of({"text": "Hi {{ who }}", "voice": "b"}, {"who": "Ann"}) == [
        {"text": "Hi Ann", "voice": "b"}
    ]
    assert await calls_of({"text": "typed"}, {"text-in": "wired"}) == [{"text": "wired"}]


async def test_a_list_gives_a_sound_for_each_item() -> None:
    outputs = await run_node("speak", {"model": "speaker"}, {"text-in": ["a", "b"]})

    assert outputs == {"audio-out": ["speaker 1", "speaker 2"]}


def test_only_the_named_members_are_read_of_an_object_at_a_placeholder() -> None:
    found = node_type("speak")
    assert found is not None
    settings = found.parse({"model": "speaker", "text": "Hi {{ who.name }}"})

    assert found.reads(settings, "who") == {"name"}
    assert found.reads(settings, "text-in") is None


def test_a_text_must_be_typed_or_wired() -> None:
    speaker, source = node("s", "speak", model="speaker"), node("t", "textBox", text="x")

    assert [each.reason for each in check_graph([speaker], [])] == [
        "Nothing is wired to the input socket 'text-in'"
    ]
    assert check_graph([source, speaker], [edge("t.text-out", "s.text-in")]) == []


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("player", "has no field 'text' with the text to say"),
        ("writer", "gives text, not audio"),
    ],
)
def test_a_model_of_another_kind_is_refused(model: str, reason: str) -> None:
    assert reasons(model=model, text="x") == [f"The model '{model}' {reason}"]


def test_a_voice_that_the_model_has_not_is_refused() -> None:
    assert reasons(model="mute", text="x", voice="a") == [
        "The model 'mute' has no 'voice'; it has 'text'"
    ]
    assert "'voice'" in reasons(model="speaker", text="x", voice="c")[0]


@pytest.mark.parametrize(("model", "is_taken"), [("speaker", False), ("both", True)])
def test_a_music_generator_takes_a_speaker_only_with_a_prompt(model: str, is_taken: bool) -> None:
    graph = [node("m", "musicGenerator", model=model, prompt="x")]

    found = [each.reason for each in check_graph(graph, [])]

    assert found == ([] if is_taken else [f"The model '{model}' speaks, and takes no 'prompt'"])


def test_it_holds_the_longest_sound_for_each_text() -> None:
    found = node_type("speak")
    assert found is not None
    settings = found.parse({"model": "speaker"})

    most = found.max_usage(settings, {"text-in": ["a", "b"]}, ())

    assert most == Usage(calls=2, seconds=Decimal(60))
