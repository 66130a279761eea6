"""How long films and sounds are, wherever in the file it is told, and however they come."""

import random
import struct
import time
from collections.abc import AsyncIterator

import pytest

from engine.media.formats import ANY_TYPE, UnfitMedia
from engine.media.inspector import Inspector
from tests.support.media import files
from tests.support.media.files import box

[_ANY, *_] = ANY_TYPE
FILM = files.film(640, 360)
FTYP, MOOV, MDAT = FILM[:20], FILM[20:-72], FILM[-72:]
LARGE_MDAT = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 300_016) + bytes(300_000)


async def told(data: bytes, size: int = 65_536) -> tuple[int | None, int | None, int | None]:
    """Width, height and milliseconds."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    inspector = Inspector(_ANY, 100_000_000)
    async for _ in inspector.through(pieces()):
        pass
    facts = inspector.known
    return facts.width, facts.height, facts.duration_ms


# -- MP4 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 65_536])
@pytest.mark.parametrize(
    "before",
    [MDAT, LARGE_MDAT, box(b"free", bytes(9)) + box(b"mdat", bytes(270_000))],
    ids=["small", "of 64 bits", "behind another"],
)
async def test_a_film_whose_header_comes_last_is_as_one_whose_header_comes_first(
    before: bytes, size: int
) -> None:
    assert await told(FTYP + before + MOOV, size) == (640, 360, 2_000)


async def test_a_picture_is_found_behind_a_track_of_sound_with_a_large_table() -> None:
    sound = box(b"trak", box(b"mdia", bytes(300_000)))

    data = FTYP + box(b"moov", MOOV[8 : 8 + 108] + sound + MOOV[8 + 108 :]) + MDAT

    assert await told(data) == (640, 360, 2_000)


async def test_a_film_in_parts_whose_length_is_not_known_has_none() -> None:
    header = files.film(640, 360, milliseconds=0)[28:-72]

    whole = FTYP + box(b"moov", header)
    in_parts = FTYP + box(b"moov", header + box(b"mvex", bytes(32)))

    assert (await told(whole), await told(in_parts)) == ((640, 360, 0), (640, 360, None))


# -- sounds ---------------------------------------------------------------------------------------


def frames(count: int, *kbits_at: int, tag: bytes = b"") -> bytes:
    """Frames of MP3 at 44.1 kHz whose bit rates are these in turn, by their index."""
    sizes = {5: 208, 9: 417, 14: 1_044}  # of 64, 128 and 320 kbit/s
    out = b""
    for number in range(count):
        at = kbits_at[number % len(kbits_at)]
        body = (bytes(32) + tag if not number else b"").ljust(sizes[at] - 4, b"\0")
        out += b"\xff\xfb" + bytes([at << 4, 0]) + body
    return out


XING = b"Xing" + struct.pack(">II", 1, 1_000)
VBRI = b"VBRI" + bytes(10) + struct.pack(">I", 1_000)


@pytest.mark.parametrize(
    ("data", "milliseconds"),
    [
        (frames(100, 9), 2_606),
        (frames(2_000, 9), 52_125),
        (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + frames(100, 9), 2_606),
        (frames(100, 9) + b"TAG" + bytes(125), 2_614),
        (frames(3, 9) + b"TAG" + bytes(125), 86),
        (frames(20, 9, 5, 14), None),
        (frames(20, 5, 14, tag=XING), 26_122),
        (frames(20, 9, tag=XING.replace(b"Xing", b"Info")), 26_122),
        (frames(20, 5, 14, tag=VBRI), 26_122),
        (frames(20, 9, tag=b"Xing" + bytes(8)), 521),
    ],
)
async def test_an_mp3_is_as_long_as_it_says_or_as_its_bytes_at_one_rate(
    data: bytes, milliseconds: int | None
) -> None:
    assert await told(data) == (None, None, milliseconds)


def page(packet: bytes, samples: int, *, serial: int = 7, first: bool = False) -> bytes:
    table = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    head = struct.pack("<BBqIII", 0, 2 if first else 0, samples, serial, 0, 0)
    return b"OggS" + head + bytes([len(table)]) + table + packet


OPUS = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 44_100, 0, 0)
VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 44_100) + bytes(14)
SPEEX = b"Speex   " + bytes(28) + struct.pack("<I", 16_000) + bytes(40)
FLAC = b"\x7fFLAC\x01\x00\x00\x01fLaC" + bytes(14) + (8_000 << 4).to_bytes(3) + bytes(15)
SOUND = bytes(60_000)


@pytest.mark.parametrize("size", [1, 999, 65_536])
@pytest.mark.parametrize(
    ("head", "samples", "milliseconds"),
    [(OPUS, 48_312, 1_000), (VORBIS, 88_200, 2_000), (SPEEX, 8_000, 500), (FLAC, 24_000, 3_000)],
    ids=["opus", "vorbis", "speex", "flac"],
)
async def test_a_sound_in_ogg_ends_with_its_last_page(
    head: bytes, samples: int, milliseconds: int, size: int
) -> None:
    data = page(head, 0, first=True) + page(SOUND, 5_000) + page(SOUND, samples)

    assert await told(data, size) == (None, None, milliseconds)


@pytest.mark.parametrize(
    ("more", "milliseconds"),
    [
        (page(SOUND, -1), 1_000),
        (page(b"other", 999_999, serial=8), 1_000),
        (page(b"OggS\0 is in it", 96_312), 2_000),
        (page(SOUND, 96_312)[:-1], None),
        (b"something else", None),
    ],
    ids=["of no sample", "of another stream", "with a false mark", "cut", "none"],
)
async def test_the_last_page_is_one_of_the_sound_that_is_whole(
    more: bytes, milliseconds: int | None
) -> None:
    small = page(bytes(100), 48_312)
    data = page(OPUS, 0, first=True) + (page(SOUND, 48_312) if len(more) < 9_000 else small) + more

    assert await told(data) == (None, None, milliseconds)


# -- WebM -----------------------------------------------------------------------------------------


def element(name: str, data: bytes) -> bytes:
    return bytes.fromhex(name) + (len(data) | 1 << 56).to_bytes(8) + data


def webm(*info: bytes, before: bytes = b"", size: bytes | None = None) -> bytes:
    head = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x84webm\x42\x87\x81\x04"
    inside = before + element("1549a966", b"".join(info)) + element("1f43b675", bytes(99))
    if size is None:
        return head + element("18538067", inside)
    return head + bytes.fromhex("18538067") + size + inside


SECONDS_2 = element("4489", struct.pack(">d", 2_000.0))


@pytest.mark.parametrize(
    ("data", "milliseconds"),
    [
        (webm(SECONDS_2), 2_000),
        (webm(SECONDS_2, size=b"\x01" + b"\xff" * 7), 2_000),
        (webm(SECONDS_2, before=element("114d9b74", bytes(60)) + element("ec", bytes(99))), 2_000),
        (
            webm(element("4489", struct.pack(">f", 5.0)), element("2ad7b1", b"\x3b\x9a\xca\x00")),
            5_000,
        ),
        (webm(), None),
        (webm(element("4489", struct.pack(">d", float("nan")))), None),
        (webm(element("4489", struct.pack(">d", float("inf")))), None),
        (webm(element("4489", struct.pack(">d", -5.0))), None),
        (webm(element("4489", struct.pack(">d", 1e300)), element("2ad7b1", b"\xff" * 8)), None),
        (webm(element("4489", b"abc")), None),
        (webm(SECONDS_2, before=element("ec", b"") * 70), None),
        (webm(SECONDS_2)[:50], None),
    ],
)
async def test_a_webm_is_as_long_as_is_told_before_its_pictures(
    data: bytes, milliseconds: int | None
) -> None:
    assert await told(data) == (None, None, milliseconds)


# -- harm -----------------------------------------------------------------------------------------

MANY = box(b"trak", box(b"free", b"") * 70)
HARM = {
    "boxes of boxes": FTYP + LARGE_MDAT + box(b"moov", MANY * 1_000),
    "marks of pages": page(OPUS, 0, first=True) + b"OggS\0" * 1_000_000,
    "pages of nothing": page(OPUS, 0, first=True) + page(b"", -1) * 100_000,
    "frames of no end": frames(1, 9) * 10_000,
    "elements in a row": webm(before=element("ec", b"") * 20_000),
}


@pytest.mark.parametrize("name", HARM)
async def test_what_means_harm_takes_next_to_no_time(name: str) -> None:
    began = time.process_time()

    await told(HARM[name])

    assert time.process_time() - began < 0.1


WHOLE = {
    "film": FTYP + MDAT + MOOV,
    "opus": page(OPUS, 0, first=True) + page(bytes(300), 48_312),
    "mp3": frames(3, 9, tag=XING),
    "webm": webm(SECONDS_2),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_any_damage_ends_in_a_length_or_in_words(name: str) -> None:
    whole, chance = WHOLE[name], random.Random(5)

    for _ in range(1_500):
        data = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
        for _ in range(chance.randint(0, 6) if data else 0):
            data[chance.randrange(len(data))] = chance.choice([0, 255, chance.randrange(256)])
        try:
            milliseconds = (await told(bytes(data), chance.choice([3, 100, 65_536])))[2]
        except UnfitMedia:
            continue
        assert milliseconds is None or 0 <= milliseconds < 2**53
