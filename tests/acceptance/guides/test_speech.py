"""Sounds and texts on a stack with the demo provider: what was spoken is heard, and charged."""

import math
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from deploy.stub_provider.contents import sounds
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, node
from tests.support.http.target import stub_server
from tests.support.media.files import png

TEXT = "We ship on Friday. Ada writes the notes."
SENTENCES = ["We ship on Friday.", "Ada writes the notes."]


def run_model(stack: RunningStack, name: str, status: int = 200, **inputs: Any) -> Any:
    got, answer = stack.api("POST", f"/api/models/{name}/run", {"inputs": inputs})
    assert got == status, answer
    return answer


def spoken(stack: RunningStack, text: str = TEXT, **more: Any) -> str:
    [url] = run_model(stack, "gpt-speech", text=text, **more)["result"]["audios"]
    return str(url)


def uploaded(stack: RunningStack, data: bytes, content_type: str = "audio/wav") -> Any:
    headers = {"x-api-key": stack.key, "content-type": content_type}
    answer = httpx2.post(f"{stack.url}/api/assets", content=data, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.json()


def run(stack: RunningStack, nodes: list[Any], edges: list[Any], **inputs: Any) -> tuple[int, Any]:
    body = {"name": "Speech", "nodes": nodes, "edges": edges}
    status, saved = stack.api("POST", "/api/workflows", body)
    assert status == 201, saved
    try:
        return stack.api("POST", f"/api/workflows/{saved['slug']}/run", {"inputs": inputs})
    finally:
        stack.api("DELETE", f"/api/workflows/{saved['slug']}?force=true")


def test_what_a_model_spoke_another_one_transcribes(stack: RunningStack) -> None:
    result = run_model(stack, "gpt-transcribe", audio=spoken(stack))["result"]

    assert result == {"text": TEXT, "segments": []}


def test_segments_have_times_that_end_with_the_sound(stack: RunningStack) -> None:
    sound = httpx2.get(spoken(stack, format="wav"), timeout=30).content
    asset = uploaded(stack, sound)

    result = run_model(stack, "whisper-groq", audio=asset["id"], language="en")["result"]

    assert [each["text"] for each in result["segments"]] == SENTENCES
    assert [each["start"] for each in result["segments"]][0] == 0
    assert result["segments"][-1]["end"] == asset["durationMs"] / 1000
    assert result["text"] == TEXT


def test_another_sound_is_told_by_its_length(stack: RunningStack) -> None:
    asset = uploaded(stack, sounds.play("tune", 2_500))

    result = run_model(stack, "gpt-transcribe", audio=asset["id"])["result"]

    assert result["text"] == "A sound of 2.5 seconds."


def test_nodes_speak_and_transcribe_each_item_of_a_list(stack: RunningStack) -> None:
    nodes = [
        node("l", "list", items=[{"value": "One. Two."}, {"value": "Three."}]),
        node("s", "speak", model="gpt-speech"),
        node("t", "transcribe", model="whisper-groq"),
        node("out", "responseOutput", fields=[{"name": "texts"}, {"name": "parts"}]),
    ]
    edges = [
        edge("l", "items-out", "s", "text-in"),
        edge("s", "audio-out", "t", "audio-in"),
        edge("t", "text-out", "out", "texts"),
        edge("t", "segments-out", "out", "parts"),
    ]

    status, answer = run(stack, nodes, edges)

    assert status == 200, answer
    assert answer["result"]["texts"] == ["One. Two.", "Three."]
    assert [[each["text"] for each in part] for part in answer["result"]["parts"]] == [
        ["One.", "Two."],
        ["Three."],
    ]


def test_a_custom_model_gives_the_text_and_an_assistant_goes_on_with_it(
    stack: RunningStack,
) -> None:
    nodes = [
        node("in", "requestInput", fields=[{"name": "sound", "type": "audio", "required": True}]),
        node("c", "customModel", model="gpt-transcribe"),
        node("a", "assistant", model="gpt-mini", prompt="{{ said }}"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "sound", "c", "audio-in"),
        edge("c", "text-out", "a", "said"),
        edge("a", "text-out", "out", "result-in"),
    ]

    status, answer = run(stack, nodes, edges, sound=spoken(stack))

    assert (status, answer["result"]) == (200, {"text": f"(stub) {TEXT}"})


def test_a_transcript_costs_the_measured_length(stack: RunningStack) -> None:
    _, models = stack.api("GET", "/api/models")
    (model,) = [each for each in models if each["internalName"] == "gpt-transcribe"]
    [price] = model["pricing"]
    asset = uploaded(stack, sounds.play("long", 60_000))

    cost = run_model(stack, "gpt-transcribe", audio=asset["id"])["cost"]

    assert price["unit"] == "input_second"
    assert cost == math.ceil(60 * Decimal(str(price["credits"])))


def sound_without_length() -> bytes:
    """Return an Ogg file whose end does not tell a length."""
    return b"OggS\x00\x02" + bytes(20) + b"\x01\x1e\x01vorbis" + bytes(23)


@pytest.mark.parametrize("name", ["gpt-transcribe", "whisper-groq"])
def test_a_length_that_cannot_be_read_is_refused_at_once(stack: RunningStack, name: str) -> None:
    asset = uploaded(stack, sound_without_length(), "audio/ogg")
    assert asset.get("durationMs") is None

    answer = run_model(stack, name, 400, audio=asset["id"])

    assert (answer["code"], answer["field"]) == ("INVALID_INPUTS", "audio")


def test_a_sound_elsewhere_is_measured_by_the_worker(stack: RunningStack) -> None:
    with stub_server(values={"/page": "no sound"}) as server:
        answer = run_model(stack, "gpt-transcribe", 400, audio=f"{server.url}/page")

    assert (answer["code"], answer["field"]) == ("INVALID_INPUTS", "audio")
    assert "cannot be read" in answer["reason"]


def test_in_a_workflow_the_node_fails(stack: RunningStack) -> None:
    nodes = [
        node("in", "requestInput", fields=[{"name": "sound", "type": "audio", "required": True}]),
        node("t", "transcribe", model="gpt-transcribe"),
        node("out", "responseOutput"),
    ]
    edges = [edge("in", "sound", "t", "audio-in"), edge("t", "text-out", "out", "result-in")]
    asset = uploaded(stack, sound_without_length(), "audio/ogg")

    status, answer = run(stack, nodes, edges, sound=asset["id"])

    assert (status, answer["code"]) == (500, "EXECUTION_FAILED")
    assert (answer["nodeId"], answer["nodeCode"]) == ("t", "invalid_value")


@pytest.mark.parametrize("inputs", [{}, {"language": "en"}])
def test_a_run_without_a_sound_is_refused(stack: RunningStack, inputs: dict[str, str]) -> None:
    answer = run_model(stack, "gpt-transcribe", 400, **inputs)

    assert (answer["code"], answer["field"]) == ("INVALID_INPUTS", "audio")


def test_a_sound_and_a_video_at_once_are_refused(stack: RunningStack) -> None:
    url = "https://a.example/1"

    answer = run_model(stack, "gpt-transcribe", 400, audio=url, video=url)

    assert (answer["code"], answer["field"]) == ("INVALID_INPUTS", "video")


def test_an_image_is_no_sound(stack: RunningStack) -> None:
    asset = uploaded(stack, png(), "image/png")

    answer = run_model(stack, "gpt-transcribe", 400, audio=asset["id"])

    assert (answer["code"], answer["field"]) == ("INVALID_INPUTS", "audio")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("transcribe", {"model": "gpt-mini"}),
        ("transcribe", {"model": "gpt-transcribe"}),
        ("speak", {"model": "suno", "text": "x"}),
        ("speak", {"model": "gpt-speech"}),
        ("assistant", {"model": "gpt-transcribe", "prompt": "x"}),
        ("musicGenerator", {"model": "gpt-speech"}),
    ],
)
def test_a_node_without_a_fit_model_or_input_is_a_problem_at_save(
    stack: RunningStack, kind: str, data: dict[str, Any]
) -> None:
    nodes = [node("n", kind, **data), node("out", "responseOutput")]
    body = {"name": "Speech", "nodes": nodes, "edges": []}

    status, answer = stack.api("POST", "/api/workflows", body)

    assert (status, answer["code"]) == (400, "INVALID_GRAPH")
    assert answer["problems"][0]["nodeId"] == "n"
