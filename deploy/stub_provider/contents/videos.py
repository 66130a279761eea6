"""Videos: a real MP4 file with H.264 in it, written by hand.

Every frame is coded as bare samples (I_PCM macroblocks), the one kind that needs no compression;
so the video is small in its dots instead: 160 × 96. ITU-T H.264, 7.3, and ISO/IEC 14496-12.
"""

import re
import struct
from functools import lru_cache

from deploy.stub_provider.contents.pictures import GRID, grid_of, palette_of

WIDTH, HEIGHT = 160, 96
BLOCK = 16
MAX_FRAMES = 20
_HIDDEN = re.compile(rb"\0\0(?=[\0-\3])")


@lru_cache(maxsize=32)
def film(seed: str, milliseconds: int) -> bytes:
    """Return an MP4 file of that length, two frames a second and twenty at most."""
    count = min(MAX_FRAMES, max(1, milliseconds // 500))
    frames = [_frame(seed, number) for number in range(count)]
    samples = [struct.pack(">I", len(frame)) + frame for frame in frames]
    head = _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    sizes = [len(sample) for sample in samples]
    movie = _movie(sizes, milliseconds, 0)
    movie = _movie(sizes, milliseconds, len(head) + len(movie) + 8)
    return head + movie + _box(b"mdat", b"".join(samples))


class _Bits:
    """A bit string in the encodings of the codec's headers."""

    def __init__(self) -> None:
        self._text = ""

    def put(self, value: int, width: int) -> "_Bits":
        self._text += f"{value:0{width}b}"
        return self

    def golomb(self, *values: int) -> "_Bits":
        """Append an unsigned Exp-Golomb code."""
        for value in values:
            coded = f"{value + 1:b}"
            self._text += "0" * (len(coded) - 1) + coded
        return self

    def aligned(self, *, stop: bool) -> bytes:
        text = self._text + ("1" if stop else "")
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8)


def _unit(kind: int, payload: bytes) -> bytes:
    return bytes([kind]) + _HIDDEN.sub(b"\0\0\3", payload)


def _sequence() -> bytes:
    bits = _Bits().put(66, 8).put(0xC0, 8).put(30, 8)
    bits.golomb(0, 0, 2, 0).put(0, 1)
    bits.golomb(WIDTH // BLOCK - 1, HEIGHT // BLOCK - 1).put(0b1100, 4)
    return _unit(0x67, bits.aligned(stop=True))


def _picture() -> bytes:
    bits = _Bits().golomb(0, 0).put(0, 2).golomb(0, 0, 0).put(0, 3).golomb(0, 0, 0).put(0, 3)
    return _unit(0x68, bits.aligned(stop=True))


def _frame(seed: str, number: int) -> bytes:
    # Consecutive IDR frames must differ in their number.
    bits = _Bits().golomb(0, 7, 0).put(0, 4).golomb(number % 2).put(0, 2).golomb(0)
    head = bits.golomb(25).aligned(stop=False)
    bodies = _blocks(seed, number)
    between = _Bits().golomb(25).aligned(stop=False)
    return _unit(0x65, head + between.join(bodies) + b"\x80")


def _blocks(seed: str, number: int) -> list[bytes]:
    colours = [_luma_chroma(*colour) for colour in palette_of(seed)]
    grid = grid_of(seed, number)
    planes = [
        _plane(grid, bytes(colour[part] for colour in colours), 1 if part == 0 else 2)
        for part in range(3)
    ]
    sides = (BLOCK, BLOCK // 2, BLOCK // 2)
    return [
        b"".join(_cut(plane, x, y, side) for plane, side in zip(planes, sides, strict=True))
        for y in range(HEIGHT // BLOCK)
        for x in range(WIDTH // BLOCK)
    ]


def _plane(grid: list[bytearray], levels: bytes, shrink: int) -> list[bytes]:
    width, height = WIDTH // shrink, HEIGHT // shrink
    rows = [bytes(levels[row[x * GRID // width]] for x in range(width)) for row in grid]
    return [rows[y * GRID // height] for y in range(height)]


def _cut(plane: list[bytes], x: int, y: int, side: int) -> bytes:
    return b"".join(row[x * side : (x + 1) * side] for row in plane[y * side : (y + 1) * side])


def _luma_chroma(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """Convert to BT.601 in its narrow range, which has no zeros: the codec forbids them here."""
    luma = 16 + (66 * red + 129 * green + 25 * blue + 128) // 256
    return (
        luma,
        128 + (-38 * red - 74 * green + 112 * blue + 128) // 256,
        128 + (112 * red - 94 * green - 18 * blue + 128) // 256,
    )


def _movie(sizes: list[int], milliseconds: int, offset: int) -> bytes:
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = struct.pack(">5I", 0, 0, 0, 1000, milliseconds) + struct.pack(">IH10x", 0x10000, 0x100)
    track = struct.pack(">6I8xHHHH", 7, 0, 0, 1, 0, milliseconds, 0, 0, 0, 0)
    return _box(
        b"moov",
        _box(b"mvhd", head + matrix + bytes(24) + struct.pack(">I", 2)),
        _box(
            b"trak",
            _box(b"tkhd", track + matrix + struct.pack(">II", WIDTH << 16, HEIGHT << 16)),
            _media(sizes, milliseconds, offset),
        ),
    )


def _media(sizes: list[int], milliseconds: int, offset: int) -> bytes:
    return _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">5IHH", 0, 0, 0, 1000, milliseconds, 0x55C4, 0)),
        _box(b"hdlr", bytes(8) + b"vide" + bytes(12) + b"headrace stub-provider\0"),
        _box(
            b"minf",
            _box(b"vmhd", struct.pack(">I8x", 1)),
            _box(b"dinf", _box(b"dref", struct.pack(">II", 0, 1), _box(b"url ", b"\0\0\0\1"))),
            _table(sizes, milliseconds, offset),
        ),
    )


def _table(sizes: list[int], milliseconds: int, offset: int) -> bytes:
    count = len(sizes)
    each = milliseconds // count
    times = [(count - 1, each), (1, milliseconds - each * (count - 1))]
    times = [entry for entry in times if entry[0]]
    return _box(
        b"stbl",
        _box(b"stsd", struct.pack(">II", 0, 1), _codec()),
        _box(b"stts", struct.pack(">II", 0, len(times)), *(struct.pack(">II", *e) for e in times)),
        _box(b"stsc", struct.pack(">5I", 0, 1, 1, count, 1)),
        _box(b"stsz", struct.pack(f">III{count}I", 0, 0, count, *sizes)),
        _box(b"stco", struct.pack(">III", 0, 1, offset)),
    )


def _codec() -> bytes:
    sequence, picture = _sequence(), _picture()
    settings = (
        bytes([1, 66, 0xC0, 30, 0xFF, 0xE1])
        + struct.pack(">H", len(sequence))
        + sequence
        + b"\1"
        + struct.pack(">H", len(picture))
        + picture
    )
    entry = struct.pack(">6xH16xHHII4xH", 1, WIDTH, HEIGHT, 72 << 16, 72 << 16, 1)
    return _box(b"avc1", entry + bytes(32) + struct.pack(">Hh", 24, -1), _box(b"avcC", settings))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body
