"""Inspection of streamed films and sounds: headers anywhere, hostile and damaged files."""

import random
import struct

import pytest

from engine.media.formats import UnfitMedia
from tests.support.media import files
from tests.support.media.files import box
from tests.support.media.timed_files import (
    OPUS,
    SECONDS_2,
    XING,
    element,
    frames,
    inspect_stream,
    page,
    webm,
)
from tests.support.process.cpu_time import cpu_limit

FILM = files.film(640, 360)
FTYP, MOOV, MDAT = FILM[:20], FILM[20:-72], FILM[-72:]
LARGE_MDAT = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", 300_016) + bytes(300_000)


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
    assert await inspect_stream(FTYP + before + MOOV, size) == (640, 360, 2_000)


async def test_a_picture_is_found_behind_a_track_of_sound_with_a_large_table() -> None:
    sound = box(b"trak", box(b"mdia", bytes(300_000)))

    data = FTYP + box(b"moov", MOOV[8 : 8 + 108] + sound + MOOV[8 + 108 :]) + MDAT

    assert await inspect_stream(data) == (640, 360, 2_000)


async def test_a_film_in_parts_whose_length_is_not_known_has_none() -> None:
    header = files.film(640, 360, milliseconds=0)[28:-72]

    whole = FTYP + box(b"moov", header)
    in_parts = FTYP + box(b"moov", header + box(b"mvex", bytes(32)))

    assert (await inspect_stream(whole), await inspect_stream(in_parts)) == (
        (640, 360, 0),
        (640, 360, None),
    )


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
    with cpu_limit(0.1):
        await inspect_stream(HARM[name])


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
            milliseconds = (await inspect_stream(bytes(data), chance.choice([3, 100, 65_536])))[2]
        except UnfitMedia:
            continue
        assert milliseconds is None or 0 <= milliseconds < 2**53
