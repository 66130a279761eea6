"""Recognition of sounds with a fake model: pieces, languages and failures."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from engine.errors.nodes import NodeFailed
from engine.process.pool import PoolCrashed
from workers.nodes.local_models import SpeechPool, transcription
from workers.nodes.local_models.sounds import RATE

SECOND = numpy.ones(RATE, dtype=numpy.int16)


class Recogniser:
    """Hears a word in each second of a sound, and in what is left at its end."""

    supported_languages = ("de", "en")

    def __init__(self) -> None:
        self.heard: list[tuple[int, str | None]] = []
        """Samples and language of each call."""
        self.fails: Exception | None = None
        self.is_deaf = False

    def transcribe(self, samples: Any, language: str | None, **options: Any) -> Any:
        if self.fails is not None:
            raise self.fails
        assert samples.dtype == numpy.float32 and abs(samples).max() <= 1
        assert options["temperature"] == 0.0
        self.heard.append((len(samples), language))
        found = [] if self.is_deaf else self._segments(len(samples))
        return iter(found), SimpleNamespace(language=language or "de")

    def _segments(self, samples: int) -> list[Any]:
        starts = range(0, samples, RATE)
        return [
            SimpleNamespace(
                start=start / RATE, end=min(start + RATE, samples) / RATE, text=f" word {number} "
            )
            for number, start in enumerate(starts)
        ]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Recogniser:
    model = Recogniser()
    monkeypatch.setattr(transcription, "_model", lambda: model)
    monkeypatch.setattr(transcription, "PIECE_SECONDS", 4)
    return model


def decoded(seconds: float) -> Iterator[Any]:
    """Yield a sound in arrays as decoders give them."""
    for _ in range(int(seconds)):
        yield SECOND
    yield SECOND[: round(seconds % 1 * RATE)]


def transcribe(
    monkeypatch: pytest.MonkeyPatch, seconds: float, language: str = ""
) -> tuple[dict[str, Any], float]:
    monkeypatch.setattr(transcription, "decode", lambda *_: decoded(seconds))
    return transcription.transcribe(b"", "audio/wav", language)


def test_segments_have_their_times_and_texts_and_the_text_is_all_of_them(
    model: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript, seconds = transcribe(monkeypatch, 1.5)

    assert transcript == {
        "text": "word 0 word 1",
        "segments": [
            {"start": 0.0, "end": 1.0, "text": "word 0"},
            {"start": 1.0, "end": 1.5, "text": "word 1"},
        ],
    }
    assert seconds == 1.5


def test_a_long_sound_is_recognised_in_pieces_of_which_each_begins_with_the_segment_cut_before(
    model: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript, seconds = transcribe(monkeypatch, 9.25)

    starts = [segment["start"] for segment in transcript["segments"]]
    assert starts == [float(number) for number in range(10)]
    assert transcript["segments"][-1]["end"] == seconds == 9.25
    assert [samples for samples, _ in model.heard] == [4 * RATE, 4 * RATE, round(3.25 * RATE)]


def test_a_long_silence_gives_no_segment_and_ends(
    model: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.is_deaf = True

    assert transcribe(monkeypatch, 9) == ({"text": "", "segments": []}, 9.0)


def test_the_language_of_the_first_piece_is_that_of_all(
    model: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcribe(monkeypatch, 9)
    found = [language for _, language in model.heard]
    model.heard.clear()
    transcribe(monkeypatch, 9, "en")

    assert found == [None, "de", "de"]
    assert [language for _, language in model.heard] == ["en", "en", "en"]


def test_a_language_that_is_none_is_refused(
    model: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NodeFailed) as caught:
        transcribe(monkeypatch, 1, "klingon")

    assert caught.value.code == "invalid_value"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (RuntimeError("std::bad_alloc"), MemoryError),
        (RuntimeError("mkl_malloc: failed to allocate memory"), MemoryError),
        (RuntimeError("other"), RuntimeError),
    ],
)
def test_lack_of_memory_in_the_model_is_a_memory_error(
    model: Recogniser, monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    model.fails = error

    with pytest.raises(raised):
        transcribe(monkeypatch, 1)


async def test_a_sound_for_which_memory_is_too_small_ends_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def crash(*_: Any, **__: Any) -> Any:
        raise PoolCrashed

    pool = SpeechPool()
    monkeypatch.setattr(pool, "run", crash)

    with pytest.raises(NodeFailed) as caught:
        await pool.transcribe(b"", "audio/wav", "", 1)

    assert caught.value.code == "resource_exhausted"


async def test_an_account_holds_one_sound_and_leaves_a_place_to_others() -> None:
    pool = SpeechPool()

    async with pool.turn("a"), pool.turn("b"):
        assert not pool._turns.try_acquire("c")
    async with pool.turn("a"):
        assert not pool._turns.try_acquire("a")
        assert pool._turns.try_acquire("b")
