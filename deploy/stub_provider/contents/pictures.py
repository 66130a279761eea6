"""Pictures drawn from a seed alone, with the word "stub" in them."""

import hashlib
import io
import struct
import zlib
from functools import lru_cache

MAX_SIDE = 1024
GRID = 32
BLACK, WHITE = 0, 1
FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_LETTERS = {
    "s": ("###", "#..", "###", "..#", "###"),
    "t": ("###", ".#.", ".#.", ".#.", ".#."),
    "u": ("#.#", "#.#", "#.#", "#.#", "###"),
    "b": ("#..", "#..", "###", "#.#", "###"),
}
PADDING = b"stUb"
"""An ancillary PNG chunk, which readers ignore."""
_TOP, _LEFT = 13, 9
_MARKS_ROW, MAX_MARKS = 22, 16


def fit(width: int, height: int) -> tuple[int, int]:
    """Return a size with the same aspect whose longer side is 1024 at most."""
    longest = max(width, height, 1)
    if longest <= MAX_SIDE:
        return max(1, width), max(1, height)
    return max(1, width * MAX_SIDE // longest), max(1, height * MAX_SIDE // longest)


@lru_cache(maxsize=128)
def draw(seed: str, width: int, height: int, kind: str, given: int = 0) -> bytes:
    """Return a picture as PNG, JPEG or WebP, with a white mark for each source image."""
    grid = grid_of(seed)
    if given:
        marks = [WHITE if x % 2 == 0 and x < 2 * given else BLACK for x in range(GRID)]
        grid[_MARKS_ROW] = bytearray(marks)
    png = _png(grid, palette_of(seed), width, height)
    return png if kind == "png" else _converted(png, kind)


def padded(png: bytes, size: int) -> bytes:
    """Return the same picture padded to at least so many bytes."""
    missing = size - len(png)
    if missing <= 0:
        return png
    end = png.rindex(b"IEND") - 4
    return png[:end] + _chunk(PADDING, bytes(missing)) + png[end:]


def palette_of(seed: str) -> list[tuple[int, int, int]]:
    """Return sixteen colours: black, white, and fourteen from the seed."""
    raw = hashlib.shake_256(b"colours" + seed.encode()).digest(42)
    own = [(raw[i], raw[i + 1], raw[i + 2]) for i in range(0, 42, 3)]
    return [(0, 0, 0), (255, 255, 255), *own]


def grid_of(seed: str, turn: int = 0) -> list[bytearray]:
    """Return 32 rows of 32 colour numbers, mirrored left to right; `turn` rotates the colours."""
    raw = hashlib.shake_256(seed.encode()).digest(8 * 16)
    grid = []
    for y in range(GRID):
        half = [2 + (raw[(y // 4) * 16 + x] + turn) % 14 for x in range(GRID // 2)]
        grid.append(bytearray([*half, *reversed(half)]))
    _write(grid)
    return grid


def _write(grid: list[bytearray]) -> None:
    for y in range(_TOP - 1, _TOP + 6):
        grid[y][_LEFT - 1 : _LEFT + 16] = bytes([BLACK]) * 17
    for number, letter in enumerate("stub"):
        for y, row in enumerate(_LETTERS[letter]):
            for x, dot in enumerate(row):
                if dot == "#":
                    grid[_TOP + y][_LEFT + 4 * number + x] = WHITE


def _png(
    grid: list[bytearray], palette: list[tuple[int, int, int]], width: int, height: int
) -> bytes:
    """Encode a picture with four bits a dot; dots in one row of the grid share their bytes."""
    starts = [-(-x * width // GRID) for x in range(GRID + 1)]
    rows = []
    for cells in grid:
        dots = "".join(f"{cell:x}" * (starts[x + 1] - starts[x]) for x, cell in enumerate(cells))
        rows.append(b"\0" + bytes.fromhex(dots + "0" * (width % 2)))
    data = b"".join(rows[y * GRID // height] for y in range(height))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(part for colour in palette for part in colour)),
            _chunk(b"tEXt", b"Software\0headrace stub-provider"),
            _chunk(b"IDAT", zlib.compress(data, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _converted(png: bytes, kind: str) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(made, kind, quality=80, **_QUICKLY.get(kind, {}))
    return made.getvalue()


_QUICKLY = {"webp": {"method": 0}}
