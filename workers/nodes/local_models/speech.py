"""Speech of texts, in child processes."""

import io
import textwrap
import wave
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.process.extras import SPEECH, install_hint
from workers.nodes.local_models.package_files import check_package

PACKAGE, FOLDER = "hibari-tts", "hibari"
SHA256 = "301231fe63dadc72693afb5dc51b5750232065a23dbdcf010f8a57233850237a"
"""Of the package's code and model together."""
MISSING = f"The worker lacks the extra {SPEECH}: {install_hint(SPEECH)}"
MAX_SENTENCE = 400
"""Characters that are spoken in one breath, which bounds the memory of the model."""
SEED = 0
"""The same text gives the same sound."""


def speak(text: str) -> bytes:
    """Return a text as speech, a WAV of one channel.

    Raises NodeFailed (invalid_value, not_installed) and MemoryError.
    """
    voice = _voice()
    sounds = [sound for sentence in _sentences(voice, text) for sound in _say(voice, sentence)]
    if not any(sound.shape[0] for sound in sounds):
        raise NodeFailed("invalid_value", "The text has nothing that can be spoken")
    return _wav(sounds, voice.sample_rate)


def _say(voice: Any, sentence: str) -> list[Any]:
    try:
        return list(voice.stream(sentence, seed=SEED))
    except Exception as error:
        if "alloc" in str(error):
            raise MemoryError from None
        raise


def _sentences(voice: Any, text: str) -> Iterator[str]:
    for sentence in voice.split_sentences(text):
        yield from textwrap.wrap(sentence, MAX_SENTENCE)


def _wav(sounds: list[Any], rate: int) -> bytes:
    import numpy

    samples = numpy.clip(numpy.concatenate(sounds), -1.0, 1.0) * 32_767
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return stream.getvalue()


@lru_cache(maxsize=1)
def _voice() -> Any:
    """Return the voice, loaded once in each process; other code than the known is not run."""
    check_package(PACKAGE, FOLDER, SHA256, MISSING)
    try:
        from hibari import Hibari
    except ImportError:
        raise NodeFailed("not_installed", MISSING) from None
    return Hibari()
