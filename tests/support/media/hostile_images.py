"""Hostile files that claim to be images, each created on demand."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise

from PIL import Image

from tests.support.media.pictures import encoded, halves, plain

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
Maker = Callable[[], bytes]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, color: int = 2) -> bytes:
    """Return a PNG with these chunks between its head and its end."""
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return PNG_HEAD + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Return so many compressed zeros, without holding them."""
    packer = zlib.compressobj(1)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(count >> 20)]
    return b"".join([*packed, packer.compress(bytes(count & 0xFFFFF)), packer.flush()])


def idat(width: int, height: int) -> bytes:
    """Return the pixels of a black image of eight bits each."""
    return chunk(b"IDAT", zeros((width + 1) * height))


SMALL = chunk(b"IDAT", zlib.compress(b"\0\xff\0\0" * 1))


def gif(width: int, height: int, frames: int) -> bytes:
    """Return a GIF of so many frames of one pixel each."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b"\x3b"


def jpeg_head(width: int, height: int) -> bytes:
    """Return a JPEG that claims a size and then ends."""
    source = plain((16, 16), kind="JPEG")
    place = source.index(b"\xff\xc0") + 5
    return source[:place] + struct.pack(">HH", height, width) + source[place + 4 :]


def jpeg_passes(count: int) -> bytes:
    """Return a large JPEG with so many empty passes."""
    source = plain((8_000, 6_000), kind="JPEG", progressive=True)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x01\x05\x02"
    return source[:-2] + scan * count + source[-2:]


def several_jpegs(count: int) -> bytes:
    """Return two JPEGs in one file, the first with so many passes."""
    pictures = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    source = encoded(
        pictures[0], "MPO", save_all=True, append_images=pictures[1:], progressive=True
    )
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x01\x05\x02"
    return source.replace(b"\xff\xd9", scan * count + b"\xff\xd9", 1)


def gif_frame(width: int, height: int) -> bytes:
    """Return a GIF of one pixel with a larger frame."""
    source = gif(1, 1, 1)
    return source.replace(
        struct.pack("<HHHHB", 0, 0, 1, 1, 0), struct.pack("<4HB", 0, 0, width, height, 0)
    )


def animated(kind: str, frames: int) -> bytes:
    """Return an animation of so many frames."""
    first, *others = [Image.new("L", (2, 2), number % 256) for number in range(frames)]
    return encoded(first, kind, save_all=True, append_images=others, duration=20)


def apng(frames: int) -> bytes:
    """Return a PNG that claims so many frames, and has their heads."""
    heads = [
        chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 1, 1, 0, 0, 1, 10, 0, 0))
        for number in range(frames)
    ]
    return png(1, 1, chunk(b"acTL", struct.pack(">II", frames, 0)), SMALL, *heads)


def webp_lossless(width: int, height: int) -> bytes:
    """Return a WebP that claims a size."""
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(16)
    body = b"WEBP" + b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def avif_head(width: int, height: int) -> bytes:
    """Return an AVIF that claims a size."""
    source = plain((16, 16), kind="AVIF")
    place = source.index(b"ispe") + 8
    return source[:place] + struct.pack(">II", width, height) + source[place + 8 :]


def avif_smaller(width: int, height: int) -> bytes:
    """Return an AVIF that claims sixteen pixels a side, and holds so many."""
    source = plain((width, height), kind="AVIF", speed=10)
    place = source.index(b"ispe") + 8
    return source[:place] + struct.pack(">II", 16, 16) + source[place + 8 :]


def looped_exif() -> bytes:
    """Return a JPEG with EXIF that points to itself and claims ten thousand more entries."""
    ifd = struct.pack("<H", 10_000) + struct.pack("<HHII", 0x8769, 4, 1, 8) * 50
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + ifd + struct.pack("<I", 8)
    source = plain((16, 16), kind="JPEG")
    return source[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + source[2:]


SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'
ENTITIES = "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(f"e{number}" for number in range(10))
)
TOO_LARGE: dict[str, Maker] = {
    "a PNG of 65535 x 65535": lambda: png(65_535, 65_535, SMALL),
    "a PNG of 2^31 x 1": lambda: png(2**31 - 1, 1, SMALL),
    "a PNG of 20000 x 20000 in full": lambda: png(20_000, 20_000, idat(20_000, 20_000), color=0),
    "a PNG just over the limit": lambda: png(10_001, 5_000, idat(10_001, 5_000), color=0),
    "a PNG of one bit each": lambda: png(30_000, 30_000, idat(3_750, 30_000), depth=1, color=0),
    "a GIF of 65535 x 65535": lambda: gif(65_535, 65_535, 1),
    "a JPEG of 65500 x 65500": lambda: jpeg_head(65_500, 65_500),
    "a JPEG of 65500 x 1000": lambda: jpeg_head(65_500, 1_000),
    "a WebP of 16384 x 16384": lambda: webp_lossless(16_384, 16_384),
    "a GIF with a frame of 65535 x 65535": lambda: gif_frame(65_535, 65_535),
    "an AVIF of 60000 x 60000": lambda: avif_head(60_000, 60_000),
    "an AVIF just over the limit": lambda: avif_head(5_001, 5_000),
    "a JPEG with a thousand passes": lambda: jpeg_passes(1_000),
    "two JPEGs with a thousand passes": lambda: several_jpegs(1_000),
}
NO_IMAGES: dict[str, Maker] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\x89",
    "a text": lambda: b"not an image",
    "noise": lambda: random.Random(7).randbytes(100_000),
    "HTML": lambda: b"<html><script>alert(1)</script></html>",
    "an SVG with a script": lambda: SVG.format("<script>alert(1)</script>").encode(),
    "an SVG with entities": lambda: (
        f"<!DOCTYPE svg [<!ENTITY e0 'x'>{ENTITIES}]>{SVG.format('&e9;')}".encode()
    ),
    "an SVG with a file": lambda: (
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
    ),
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run showpage\n",
    "a PDF": lambda: encoded(Image.new("RGB", (8, 8)), "PDF"),
    "a TIFF": lambda: encoded(Image.new("RGB", (8, 8)), "TIFF"),
    "a BMP": lambda: encoded(Image.new("RGB", (8, 8)), "BMP"),
    "an ICO": lambda: encoded(Image.new("RGB", (16, 16)), "ICO"),
    "a JPEG 2000": lambda: encoded(Image.new("RGB", (8, 8)), "JPEG2000"),
    "a PCX": lambda: encoded(Image.new("RGB", (8, 8)), "PCX"),
    "a PPM": lambda: encoded(Image.new("RGB", (8, 8)), "PPM"),
    "a TGA": lambda: encoded(Image.new("RGB", (8, 8)), "TGA"),
    "a DDS": lambda: encoded(Image.new("RGBA", (8, 8)), "DDS"),
    "a FITS": lambda: b"".join(
        line.ljust(80).encode()
        for line in ("SIMPLE  =                    T", "BITPIX  = 8", "NAXIS   = 0", "END")
    ).ljust(2_880),
    "an animated cursor": lambda: b"RIFF\x10\0\0\0ACONanih" + bytes(64),
    "a film": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64),
    "a zip": lambda: b"PK\x03\x04" + bytes(64),
    "a GIF that is a script": lambda: b"GIF89a/*" + b"*/=alert(1)//" * 20,
}


def half(kind: str) -> Maker:
    """Return an image without its end."""
    return lambda: encoded(Image.effect_noise((200, 200), 80).convert("RGB"), kind)[:-2_000]


def head(kind: str) -> Maker:
    """Return only the beginning of an image."""
    return lambda: plain((64, 64), kind=kind)[:20]


BROKEN: dict[str, Maker] = {
    **{f"half of a {kind}": half(kind) for kind in ("PNG", "JPEG", "WEBP", "AVIF")},
    **{f"the head of a {kind}": head(kind) for kind in ("PNG", "JPEG", "WEBP", "AVIF", "GIF")},
    "a PNG without pixels": lambda: png(8, 8),
    "a PNG of no size": lambda: png(0, 8, SMALL),
    "a PNG with a wrong sum": lambda: plain((8, 8))[:40] + b"\0\0\0\0" + plain((8, 8))[44:],
    "a PNG with a profile of 100 MB": lambda: png(
        1, 1, chunk(b"iCCP", b"x\0\0" + zeros(100_000_000)), SMALL
    ),
    "a PNG with a text of 100 MB": lambda: png(
        1, 1, chunk(b"zTXt", b"x\0\0" + zeros(100_000_000)), SMALL
    ),
    "a PNG with texts of 100 MB": lambda: png(
        1, 1, *[chunk(b"zTXt", b"x\0\0" + zeros(1_000_000))] * 100, SMALL
    ),
    "a PNG with a text of 100 MB in UTF-8": lambda: png(
        1, 1, chunk(b"iTXt", b"x\0\x01\0\0\0" + zeros(100_000_000)), SMALL
    ),
}
HARMLESS: dict[str, Maker] = {
    "a PNG whose pixels are noise": lambda: png(
        8, 8, chunk(b"IDAT", random.Random(1).randbytes(99))
    ),
    "a GIF of 50,000 frames": lambda: gif(1, 1, 50_000),
    "a PNG of 50,000 frames": lambda: apng(50_000),
    "a WebP of 500 frames": lambda: animated("WEBP", 500),
    "an AVIF of 100 frames": lambda: animated("AVIF", 100),
    "a PNG with a script behind it": lambda: plain((8, 8)) + b"<script>alert(1)</script>",
    "a PNG with a zip behind it": lambda: plain((8, 8)) + b"PK\x03\x04" + bytes(64),
    "a JPEG with EXIF that loops": looped_exif,
    "a PNG with more pixels than it says": lambda: png(1, 1, chunk(b"IDAT", zeros(200_000_000))),
    "an image of 5000 x 1": lambda: halves((5_000, 1)),
}
LARGE: dict[str, Maker] = {
    "an AVIF just under the limit": lambda: plain((5_000, 5_000), kind="AVIF", speed=10),
    "an AVIF with transparency just under the limit": lambda: plain(
        *((5_000, 5_000), (9, 9, 9, 9), "RGBA"), kind="AVIF", speed=10, subsampling="4:4:4"
    ),
    "an AVIF that is larger than it says": lambda: avif_smaller(4_000, 4_000),
    "a JPEG with fifty passes": lambda: jpeg_passes(50),
    "a PNG just under the limit": lambda: png(10_000, 5_000, idat(10_000, 5_000), color=0),
}
"""Images that are decoded, and take much time or memory."""


def every() -> Iterator[tuple[str, Maker]]:
    """Return all images that must be refused."""
    for group in (TOO_LARGE, NO_IMAGES, BROKEN):
        yield from group.items()
