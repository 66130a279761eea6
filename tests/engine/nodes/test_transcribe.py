"""Transcribe: sockets, calls for a sound or a list, and the two outputs."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.graph.plan import check_graph
from engine.models.calls.chat import Chat
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.nodes import node_type
from engine.nodes.support.base import WorkKind
from engine.values.sockets import Socket, SocketType
from tests.support.graphs.graph_text import edge, node
from tests.support.models.speech_models import SOUND, VIDEO, all_models
from tests.support.nodes.node_context import FakeContext, run_node
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {
    "transcribe": NodeSample(
        WorkKind.IO,
        "Speech",
        {"model": "gpt-transcribe", "values": {"audio": SOUND}},
        is_charged=True,
    )
}


@pytest.fixture(autouse=True)
def models() -> Iterator[None]:
    with use_models(all_models()):
        yield


class Hearing(FakeContext):
    """Answers with a transcript of the URL."""

    async def call_model(
        self, model: Model, values: Mapping[str, Any], item: int = 0, chat: Chat | None = None
    ) -> Any:
        await super().call_model(model, values, item)
        url = values.get("audio") or values.get("video")
        return {"text": f"{url}", "segments": [{"start": 0, "end": item, "text": f"{url}"}]}


def faults(*edges: Any, **data: Any) -> list[str]:
    sources = [
        node("s", "list", kind="audio", items=[]),
        node("v", "list", kind="video", items=[]),
    ]
    used = [each for each in sources if any(wire["source"] == each["id"] for wire in edges)]
    graph = [*used, node("t", "transcribe", **data)]
    return [each.reason for each in check_graph(graph, list(edges))]


def test_the_sockets_are_those_of_the_contract() -> None:
    found = node_type("transcribe")
    assert found is not None
    settings = found.parse({"model": "listener"})

    assert found.inputs(settings) == {
        "audio-in": Socket(type=SocketType.AUDIO),
        "video-in": Socket(type=SocketType.VIDEO),
    }
    assert found.outputs(settings) == {
        "text-out": Socket(type=SocketType.TEXT),
        "segments-out": Socket(type=SocketType.ANY),
    }


async def test_a_sound_becomes_a_text_and_segments() -> None:
    outputs = await run_node(
        "transcribe", {"model": "listener"}, {"audio-in": SOUND}, context=Hearing()
    )

    assert outputs == {
        "text-out": SOUND,
        "segments-out": [{"start": 0, "end": 0, "text": SOUND}],
    }


async def test_a_list_makes_a_call_for_each_item_in_order() -> None:
    sounds = [f"https://a.example/{number}.wav" for number in range(3)]

    outputs = await run_node(
        "transcribe", {"model": "listener"}, {"audio-in": sounds}, context=Hearing()
    )

    assert outputs["text-out"] == sounds
    assert [each[0]["end"] for each in outputs["segments-out"]] == [0, 1, 2]


async def test_a_video_goes_to_the_field_video_and_the_language_with_it() -> None:
    context, data = Hearing(), {"model": "listener", "language": "de"}

    await run_node("transcribe", data, {"video-in": VIDEO}, context=context)

    assert context.model_values == [{"video": VIDEO, "language": "de"}]


def test_a_model_without_a_field_video_refuses_the_wire_with_the_reason() -> None:
    assert faults(edge("v.items-out", "t.video-in"), model="ear")[:1] == [
        "'video-in' of 't': The model 'ear' has no 'video'"
    ]


def test_one_of_the_two_sockets_is_wired() -> None:
    sound, video = edge("s.items-out", "t.audio-in"), edge("v.items-out", "t.video-in")

    assert faults(model="listener") == ["nothing is wired to 'audio-in' or 'video-in'"]
    assert faults(sound, model="listener") == []
    assert faults(sound, video, model="listener") == [
        "'audio-in' and 'video-in' are both wired, and a call takes one of them"
    ]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("writer", "has no field of the type audio, and transcribes nothing"),
        ("speaker", "gives audio, not text"),
    ],
)
def test_a_model_of_another_kind_is_refused(model: str, reason: str) -> None:
    assert faults(model=model) == [f"The model '{model}' {reason}"]


def test_a_setting_that_the_model_lacks_is_refused() -> None:
    assert faults(edge("s.items-out", "t.audio-in"), model="ear", language="de") == [
        "The model 'ear' has no 'language'; it has 'audio'"
    ]


@pytest.mark.parametrize("kind", ["assistant", "agent"])
def test_nodes_that_ask_models_refuse_one_that_transcribes(kind: str) -> None:
    graph = [node("a", kind, model="listener", prompt="x")]

    [reason] = [each.reason for each in check_graph(graph, [])]

    assert "'listener'" in reason and ("transcribes sounds" in reason or "no tools" in reason)


@pytest.mark.parametrize(("sound", "calls"), [(SOUND, 1), ([SOUND] * 3, 3), ([], 0)])
def test_it_holds_the_longest_sound_that_the_price_allows(sound: Any, calls: int) -> None:
    found = node_type("transcribe")
    assert found is not None
    settings = found.parse({"model": "listener"})

    most = found.max_usage(settings, {"audio-in": sound}, ())

    assert most == Usage(calls=calls, input_seconds=Decimal(60 * calls))
    assert found.estimate_outputs(settings, {"audio-in": sound})["text-out"] == (
        [None] * calls if isinstance(sound, list) else None
    )


async def test_a_model_that_hears_no_more_is_gone() -> None:
    found = node_type("transcribe")
    assert found is not None
    settings = found.parse({"model": "listener"})
    changed = [each for each in all_models() if each.internal_name == "writer"]

    with use_models(changed), pytest.raises(NodeFailed) as caught:
        await found.run(settings, {"audio-in": SOUND}, Hearing())  # type: ignore[arg-type]

    assert caught.value.code == "model_gone"
