"""Sounds: a short tune from a seed, as a WAV file."""

import hashlib
import io
import math
import struct
import wave
from functools import lru_cache

RATE = 16_000
NOTE_SECONDS = 0.25
LOUDNESS = 6_000
MAX_SECONDS = 60.0


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
