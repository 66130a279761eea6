"""Sounds: a short tune from a seed, as a WAV file, which may carry the text that it says."""

import hashlib
import io
import math
import struct
import wave
from collections.abc import Iterator
from functools import lru_cache

RATE = 16_000
NOTE_SECONDS = 0.25
LOUDNESS = 6_000
MAX_SECONDS = 60.0
COMMENT = b"ICMT"
"""Name of the chunk with the text."""


@lru_cache(maxsize=32)
def play(seed: str, milliseconds: int) -> bytes:
    """Return a mono WAV file of that length, 16 bits at 16 kHz."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples(seed, milliseconds, RATE))
    return made.getvalue()


def say(text: str, seed: str, milliseconds: int) -> bytes:
    """Return a WAV file that carries the text before its samples, so that a cut file has it too."""
    tune = play(seed, milliseconds)
    data_at = tune.index(b"data")
    spoken = text.encode()
    comment = _chunk(COMMENT, spoken + b"\0")
    carried = tune[12:data_at] + _chunk(b"LIST", b"INFO" + comment) + tune[data_at:]
    return _chunk(b"RIFF", b"WAVE" + carried)


def said(sound: bytes) -> str:
    """Return the text that a WAV file carries, empty for any other sound."""
    if sound[:4] != b"RIFF" or sound[8:12] != b"WAVE":
        return ""
    listed = (body[4:] for name, body in _chunks(sound[12:]) if name == b"LIST")
    comments = (body for each in listed for name, body in _chunks(each) if name == COMMENT)
    return next(comments, b"").rstrip(b"\0").decode(errors="replace")


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def samples(seed: str, milliseconds: int, rate: int) -> bytes:
    """Return the tune as raw little-endian samples."""
    wanted = 2 * (rate * milliseconds // 1000)
    length = int(rate * NOTE_SECONDS)
    pitches = hashlib.shake_256(seed.encode()).digest(16)
    notes = [_note(220 * 2 ** ((pitch % 25) / 12), length, rate) for pitch in pitches]
    tune = b"".join(notes)
    return (tune * (wanted // len(tune) + 1))[:wanted]


def _note(pitch: float, length: int, rate: int) -> bytes:
    period = round(rate / pitch)
    cycle = struct.pack(
        f"<{period}h",
        *(int(LOUDNESS * math.sin(2 * math.pi * step / period)) for step in range(period)),
    )
    return (cycle * (length // period + 1))[: 2 * length]
