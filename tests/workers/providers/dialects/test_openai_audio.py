"""Transcripts by OpenAI's protocol: the form that is sent, and answers that are read with care."""

import json
import math
from typing import Any

import pytest
from starlette.datastructures import Headers

from deploy.stub_provider.contents import sounds
from deploy.stub_provider.exchange import read_body
from engine.errors.nodes import NodeFailed
from engine.models.manifest import Model
from engine.models.transcripts import read_segments
from engine.nodes.support.base import HttpAnswer, HttpCall
from tests.support.http.providers import KEY, MODEL_KEYS, Kept, calling, provided
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from tests.support.models.speech_models import AUDIO_FIELD, transcriber
from workers.providers.base import ModelCall
from workers.providers.media import MAX_SENT_BYTES
from workers.providers.model_caller import ModelCaller

OURS, FOREIGN = "https://headrace.example/assets/a1", "https://cdn.example/1"
WAV = sounds.play("a", 500)
MP3 = b"\xff\xfb\x90\x00" + bytes(413)
M4A = b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42"


class WayOut:
    """Notes calls, and answers with a reply."""

    def __init__(self) -> None:
        self.calls: list[HttpCall] = []
        self.reply: Any = {"text": "Hello there."}

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        self.calls.append(call)
        return HttpAnswer(status=200, headers={}, body=json.dumps(self.reply).encode())

    @property
    def form(self) -> Any:
        return read_body(Headers(dict(self.calls[0].headers)), self.calls[0].body or b"")


@pytest.fixture
def way_out() -> WayOut:
    return WayOut()


@pytest.fixture
def caller(way_out: WayOut, kept: Kept) -> ModelCaller:
    kept.own[("acc", OURS)] = WAV
    return calling(way_out, {"PROVIDER_URL": "https://a.example", **MODEL_KEYS}, kept)


async def hear(
    caller: ModelCaller, found: Model | None = None, *, data: bytes = MP3, **values: Any
) -> Any:
    async def fetch_media(url: str) -> bytes:
        return data

    model_call = ModelCall(checkpoints=RecordedCheckpoints(), fetch_media=fetch_media)
    return (await caller.call(found or transcriber(), values, model_call)).value


async def test_a_sound_of_the_account_is_sent_as_a_file_of_a_form(
    caller: ModelCaller, way_out: WayOut
) -> None:
    answer = await hear(caller, audio=OURS, prompt="Headrace")

    assert way_out.calls[0].url == "https://a.example/audio/transcriptions"
    assert way_out.form == {
        "model": "m",
        "response_format": "json",
        "prompt": "Headrace",
        "file": [WAV],
    }
    assert answer == {"text": "Hello there.", "segments": []}


@pytest.mark.parametrize(
    ("data", "name"), [(WAV, "1.wav"), (MP3, "1.mp3"), (M4A, "1.m4a"), (MP4, "1.mp4")]
)
async def test_a_file_has_the_ending_of_its_content(
    caller: ModelCaller, way_out: WayOut, data: bytes, name: str
) -> None:
    await hear(caller, audio=FOREIGN, data=data)

    assert f'filename="{name}"'.encode() in (way_out.calls[0].body or b"")


async def test_a_manifest_asks_for_segments_and_names_the_language(
    caller: ModelCaller, way_out: WayOut
) -> None:
    more = 'body = { response_format = "verbose_json", language = "{{ language }}" }\n'
    way_out.reply = {
        "text": " Hello there. Bye. ",
        "duration": 2.04,
        "segments": [
            {"id": 0, "start": 0, "end": 1.0399999618, "text": " Hello there."},
            {"id": 1, "start": 1.04, "end": 2.04, "text": " Bye."},
        ],
    }

    answer = await hear(caller, transcriber(more), audio=OURS, language="en")

    assert (way_out.form["response_format"], way_out.form["language"]) == ("verbose_json", "en")
    assert answer == {
        "text": "Hello there. Bye.",
        "segments": [
            {"start": 0, "end": 1.04, "text": "Hello there."},
            {"start": 1.04, "end": 2.04, "text": "Bye."},
        ],
    }


@pytest.mark.parametrize(
    "segments",
    [
        None,
        "none",
        {"start": 0},
        [None, 1, "x", [], {}],
        [{"start": 0, "end": 1}],
        [{"start": "0", "end": 1, "text": "x"}],
        [{"start": True, "end": 1, "text": "x"}],
        [{"start": -1, "end": 1, "text": "x"}],
        [{"start": 2, "end": 1, "text": "x"}],
        [{"start": 0, "end": 1, "text": None}],
    ],
)
async def test_segments_without_times_or_a_text_are_left_out(
    caller: ModelCaller, way_out: WayOut, segments: Any
) -> None:
    way_out.reply = {"text": "Hello", "segments": segments}

    assert await hear(caller, audio=OURS) == {"text": "Hello", "segments": []}


@pytest.mark.parametrize("reply", [{}, [], "text", None, {"text": None}, {"text": 5}])
async def test_an_answer_without_a_text_is_a_bad_response(
    caller: ModelCaller, way_out: WayOut, reply: Any
) -> None:
    way_out.reply = reply

    with pytest.raises(NodeFailed) as caught:
        await hear(caller, audio=OURS)

    assert caught.value.code == "PROVIDER_BAD_RESPONSE"


async def test_silence_is_an_empty_text(caller: ModelCaller, way_out: WayOut) -> None:
    way_out.reply = {"text": ""}

    assert await hear(caller, audio=OURS) == {"text": "", "segments": []}


@pytest.mark.parametrize(
    ("values", "data", "code"),
    [
        ({}, MP3, "invalid_value"),
        ({"audio": OURS, "video": FOREIGN}, MP3, "invalid_value"),
        ({"audio": FOREIGN}, b"<html>not here", "invalid_value"),
        ({"audio": FOREIGN}, b"\x89PNG\r\n\x1a\n", "invalid_value"),
        ({"audio": FOREIGN}, MP3 + bytes(MAX_SENT_BYTES), "response_too_large"),
    ],
)
async def test_what_is_no_sound_or_too_large_is_not_sent(
    caller: ModelCaller, way_out: WayOut, values: dict[str, str], data: bytes, code: str
) -> None:
    with pytest.raises(NodeFailed) as caught:
        await hear(caller, data=data, **values)

    assert (caught.value.code, way_out.calls) == (code, [])


async def test_a_secret_in_a_transcript_is_hidden(caller: ModelCaller, way_out: WayOut) -> None:
    segment = {"start": 0, "end": 1, "text": f"It is {KEY}"}
    way_out.reply = {"text": f"It is {KEY}", "segments": [segment]}
    found = transcriber('api_key_env = "PROVIDER_KEY"\n')
    models = calling(way_out, {"PROVIDER_URL": "https://a.example", "PROVIDER_KEY": KEY}, Kept())

    answer = await hear(models, found, audio=FOREIGN)

    assert KEY not in json.dumps(answer)


async def test_a_text_alone_of_another_provider_is_a_transcript_too(
    caller: ModelCaller, way_out: WayOut
) -> None:
    body = 'body = { a = "{{ audio.data }}" }'
    section = f'path = "/listen"\nresult = "said"\ninline = ["audio"]\n{body}\n'
    way_out.reply = {"said": "Hello"}

    answer = await hear(caller, provided("http", section, fields=AUDIO_FIELD), audio=OURS)

    assert answer == {"text": "Hello", "segments": []}


def test_numbers_that_are_no_times_are_none() -> None:
    assert read_segments([{"start": math.nan, "end": math.inf, "text": "x"}]) == []
