"""Speech with a fake voice: sentences, the sound, and failures."""

import io
import wave
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from engine.errors.nodes import NodeFailed
from workers.nodes.local_models import speech


class Voice:
    """Says each sentence as a tenth of a second."""

    sample_rate = 24_000

    def __init__(self) -> None:
        self.said: list[str] = []
        self.fails: Exception | None = None

    @staticmethod
    def split_sentences(text: str) -> list[str]:
        return [each.strip() for each in text.split(".") if each.strip()]

    def stream(self, text: str, seed: int) -> Iterator[Any]:
        if self.fails is not None:
            raise self.fails
        self.said.append(text)
        yield numpy.full(2_400 if text.isascii() else 0, 2.0, dtype=numpy.float32)


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> Voice:
    voice = Voice()
    monkeypatch.setattr(speech, "_voice", lambda: voice)
    return voice


def test_sentences_are_said_one_after_another_in_one_sound(voice: Voice) -> None:
    with wave.open(io.BytesIO(speech.speak("Good morning. It rains."))) as sound:
        form = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
        samples = numpy.frombuffer(sound.readframes(100_000), dtype="<i2")

    assert voice.said == ["Good morning", "It rains"]
    assert form == (1, 2, 24_000)
    assert samples.tolist() == [32_767] * 4_800


def test_a_sentence_without_an_end_is_said_in_parts(voice: Voice) -> None:
    speech.speak("word " * 300 + "x" * 1_000)

    assert all(len(part) <= speech.MAX_SENTENCE for part in voice.said)
    assert "".join(voice.said).replace(" ", "") == "word" * 300 + "x" * 1_000


@pytest.mark.parametrize("text", ["", " ... ", "你好"])
def test_a_text_with_nothing_to_say_is_refused(voice: Voice, text: str) -> None:
    with pytest.raises(NodeFailed) as caught:
        speech.speak(text)

    assert caught.value.code == "invalid_value"


@pytest.mark.parametrize(
    ("error", "raised"),
    [(RuntimeError("Failed to allocate memory"), MemoryError), (ValueError("other"), ValueError)],
)
def test_lack_of_memory_in_the_model_is_a_memory_error(
    voice: Voice, error: Exception, raised: type[Exception]
) -> None:
    voice.fails = error

    with pytest.raises(raised):
        speech.speak("word")
