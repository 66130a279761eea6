"""OpenAI's speech and transcripts as the stub speaks them."""

import io
import struct
import wave
from typing import Any

import pytest
from starlette.testclient import TestClient

from deploy.stub_provider.contents import sounds
from engine.media.inspector import inspect_whole
from tests.support.media.files import png

SPEECH, TRANSCRIPTS = "/v1/audio/speech", "/v1/audio/transcriptions"
SAID = "Grüß Gott, all. We ship on Friday! Who writes the notes?"


def speak(stub: TestClient, text: str = SAID, **more: Any) -> bytes:
    body = {"model": "m", "input": text, "voice": "any", **more}
    return stub.post(SPEECH, json=body).content


def listen(stub: TestClient, sound: bytes, **fields: str) -> Any:
    files = {"file": ("a.wav", sound, "audio/wav")}
    return stub.post(TRANSCRIPTS, data={"model": "m", **fields}, files=files)


def test_speech_is_a_wav_file_and_bare_samples_for_pcm(stub: TestClient) -> None:
    body = {"model": "m", "input": "Hello there", "voice": "any"}

    file = stub.post(SPEECH, json=body)
    bare = stub.post(SPEECH, json={**body, "response_format": "pcm"})

    assert file.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(file.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == 1.0
        assert max(struct.unpack("<16000h", sound.readframes(16_000))) > 1_000
    assert (bare.headers["content-type"], len(bare.content)) == ("audio/pcm", 48_000)


def test_speech_carries_its_text_in_a_file_that_is_taken_here(stub: TestClient) -> None:
    file = speak(stub)

    facts = inspect_whole(file)
    assert (facts.content_type, facts.duration_ms) == ("audio/wav", 50 * len(SAID))
    assert file.index(b"LIST") < file.index(b"data")
    assert struct.unpack_from("<I", file, 4) == (len(file) - 8,)


@pytest.mark.parametrize("text", [SAID, "Hi", "odd", "even", "日本語。", "x" * 4096])
def test_what_was_spoken_is_heard_again(stub: TestClient, text: str) -> None:
    assert listen(stub, speak(stub, text)).json()["text"] == text


def test_a_file_that_was_cut_is_heard_too_and_is_shorter(stub: TestClient) -> None:
    file = speak(stub)

    heard = listen(stub, file[: len(file) // 2], response_format="verbose_json").json()

    assert heard["text"] == SAID
    assert 0 < heard["duration"] < 0.05 * len(SAID)


def test_segments_are_sentences_whose_ends_add_up_to_the_length(stub: TestClient) -> None:
    heard = listen(stub, speak(stub), response_format="verbose_json").json()

    segments = heard["segments"]
    assert [each["text"].strip() for each in segments] == [
        "Grüß Gott, all.",
        "We ship on Friday!",
        "Who writes the notes?",
    ]
    assert [each["start"] for each in segments] == [0, *(each["end"] for each in segments[:-1])]
    assert segments[-1]["end"] == heard["duration"] == 50 * len(SAID) / 1000


def test_faster_speech_is_shorter(stub: TestClient) -> None:
    lengths = [inspect_whole(speak(stub, speed=each)).duration_ms or 0 for each in (1, 2)]

    assert lengths[0] == 2 * lengths[1]


@pytest.mark.parametrize("speed", [0, 5, "fast", True])
def test_a_speed_out_of_range_is_refused(stub: TestClient, speed: Any) -> None:
    answer = stub.post(SPEECH, json={"model": "m", "input": "x", "speed": speed})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "speed")


def test_another_sound_is_a_sentence_with_its_length(stub: TestClient) -> None:
    assert listen(stub, sounds.play("a", 2_500)).json()["text"] == "A sound of 2.5 seconds."


def test_each_format_of_the_protocol_is_answered(stub: TestClient) -> None:
    sound = speak(stub, "One. Two.")
    texts = {name: listen(stub, sound, response_format=name) for name in ("text", "srt", "vtt")}

    assert {each.headers["content-type"] for each in texts.values()} == {
        "text/plain; charset=utf-8"
    }
    assert texts["text"].text == "One. Two.\n"
    assert texts["srt"].text == (
        "1\n00:00:00,000 --> 00:00:00,500\nOne.\n\n2\n00:00:00,500 --> 00:00:01,000\nTwo.\n\n"
    )
    assert texts["vtt"].text == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nOne.\n\n00:00:00.500 --> 00:00:01.000\nTwo.\n\n"
    )
    assert listen(stub, sound, response_format="json").json()["usage"] == {
        "type": "duration",
        "seconds": 1,
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "xml"}, "response_format"),
        ({"model": "gpt-transcribe", "response_format": "verbose_json"}, "response_format"),
        ({"model": ""}, "model"),
    ],
)
def test_what_the_protocol_has_not_is_refused(
    stub: TestClient, fields: dict[str, str], param: str
) -> None:
    answer = listen(stub, speak(stub), **fields)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("file", [b"", b"no sound", png()])
def test_a_file_that_is_no_sound_is_refused(stub: TestClient, file: bytes) -> None:
    answer = listen(stub, file)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")


def test_a_call_without_a_file_is_refused(stub: TestClient) -> None:
    answer = stub.post(TRANSCRIPTS, json={"model": "m"})

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "file")
