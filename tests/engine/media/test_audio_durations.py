"""Durations of MP3 and Ogg sounds that come in pieces of any size."""

import pytest

from tests.support.media.timed_files import (
    FLAC,
    OPUS,
    SPEEX,
    VBRI,
    VORBIS,
    XING,
    frames,
    inspect_stream,
    page,
)


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
    assert await inspect_stream(data) == (None, None, milliseconds)


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

    assert await inspect_stream(data, size) == (None, None, milliseconds)


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

    assert await inspect_stream(data) == (None, None, milliseconds)
