"""Sounds and films with durations, built byte by byte, and their inspection."""

import struct
from collections.abc import AsyncIterator

from engine.media.formats import ANY_TYPE
from engine.media.inspector import Inspector

[_ANY, *_] = ANY_TYPE
XING = b"Xing" + struct.pack(">II", 1, 1_000)
VBRI = b"VBRI" + bytes(10) + struct.pack(">I", 1_000)
OPUS = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 44_100, 0, 0)
VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 44_100) + bytes(14)
SPEEX = b"Speex   " + bytes(28) + struct.pack("<I", 16_000) + bytes(40)
FLAC = b"\x7fFLAC\x01\x00\x00\x01fLaC" + bytes(14) + (8_000 << 4).to_bytes(3) + bytes(15)


async def inspect_stream(
    data: bytes, size: int = 65_536
) -> tuple[int | None, int | None, int | None]:
    """Return width, height and milliseconds found in a file that comes in pieces of `size`."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    inspector = Inspector(_ANY, 100_000_000)
    async for _ in inspector.through(pieces()):
        pass
    facts = inspector.known
    return facts.width, facts.height, facts.duration_ms


def frames(count: int, *kbits_at: int, tag: bytes = b"") -> bytes:
    """Return MP3 frames at 44.1 kHz with these indexes of bit rates in turn."""
    sizes = {5: 208, 9: 417, 14: 1_044}  # of 64, 128 and 320 kbit/s
    out = b""
    for number in range(count):
        at = kbits_at[number % len(kbits_at)]
        body = (bytes(32) + tag if not number else b"").ljust(sizes[at] - 4, b"\0")
        out += b"\xff\xfb" + bytes([at << 4, 0]) + body
    return out


def page(packet: bytes, samples: int, *, serial: int = 7, first: bool = False) -> bytes:
    table = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    head = struct.pack("<BBqIII", 0, 2 if first else 0, samples, serial, 0, 0)
    return b"OggS" + head + bytes([len(table)]) + table + packet


def element(name: str, data: bytes) -> bytes:
    return bytes.fromhex(name) + (len(data) | 1 << 56).to_bytes(8) + data


def webm(*info: bytes, before: bytes = b"", size: bytes | None = None) -> bytes:
    head = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x84webm\x42\x87\x81\x04"
    inside = before + element("1549a966", b"".join(info)) + element("1f43b675", bytes(99))
    if size is None:
        return head + element("18538067", inside)
    return head + bytes.fromhex("18538067") + size + inside


SECONDS_2 = element("4489", struct.pack(">d", 2_000.0))
