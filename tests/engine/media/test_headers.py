import resource
import struct

import pytest

from engine.media.formats import MAX_PIXELS, MediaKind, UnfitMedia, declared_type
from engine.media.inspector import Inspector, TooLargeMedia
from tests.support.media import files
from tests.support.process.cpu_time import cpu_limit

WRONG = files.wrong_files()
RIGHT = {
    "image/png": (files.png(), (40, 30), None),
    "image/jpeg": (files.picture("JPEG", progressive=True), (40, 30), None),
    "image/webp": (files.picture("WEBP"), (40, 30), None),
    "image/gif": (files.picture("GIF"), (40, 30), None),
    "image/avif": (files.picture("AVIF"), (40, 30), None),
    "video/mp4": (files.mp4(), (None, None), 2_000),
    "video/webm": (files.webm(), (None, None), None),
    "audio/mpeg": (files.mp3(), (None, None), 26),
    "audio/wav": (files.wav(), (None, None), 500),
    "audio/ogg": (files.ogg(), (None, None), None),
    "audio/mp4": (files.mp4(b"M4A "), (None, None), 2_000),
}


async def inspect(data: bytes, declared: str, piece: int = 7) -> Inspector:
    async def pieces():
        for start in range(0, len(data), piece):
            yield data[start : start + piece]

    inspector = Inspector(declared, 1_000_000)
    passed = [piece async for piece in inspector.through(pieces())]
    assert b"".join(passed) == data
    return inspector


@pytest.mark.parametrize("name", RIGHT)
async def test_a_file_that_is_taken_is_known_by_its_header(name: str) -> None:
    data, size, duration = RIGHT[name]

    facts = (await inspect(data, name)).known

    assert (facts.content_type, facts.duration_ms) == (name, duration)
    assert (facts.width, facts.height) == size


@pytest.mark.parametrize("name", RIGHT)
async def test_whoever_does_not_know_the_type_is_told(name: str) -> None:
    facts = (await inspect(RIGHT[name][0], "application/octet-stream", 4_096)).known

    assert facts.content_type == name


@pytest.mark.A56
@pytest.mark.parametrize("name", WRONG)
async def test_any_other_file_is_refused(name: str) -> None:
    declared, data = WRONG[name]

    with pytest.raises(UnfitMedia):
        await inspect(data, declared_type(declared), 64)


@pytest.mark.A56
async def test_refusing_takes_neither_time_nor_memory() -> None:
    assert len(WRONG) >= 40
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with cpu_limit(1):
        for declared, data in WRONG.values():
            with pytest.raises(UnfitMedia):
                await inspect(data, declared_type(declared), 4_096)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_240


@pytest.mark.A56
@pytest.mark.parametrize("make", [files.png_head, files.jpeg_head, files.webp_head])
async def test_an_image_may_have_so_many_pixels_and_no_more(make) -> None:
    kind = {"png_head": "png", "jpeg_head": "jpeg", "webp_head": "webp"}[make.__name__]

    facts = (await inspect(make(10_000, MAX_PIXELS // 10_000), f"image/{kind}")).known

    assert facts.height == 5_000
    with pytest.raises(UnfitMedia, match="pixels"):
        await inspect(make(10_000, MAX_PIXELS // 10_000 + 1), f"image/{kind}")


async def test_a_file_over_the_limit_is_refused_when_it_passes_it() -> None:
    with pytest.raises(TooLargeMedia):
        await inspect(files.wav(1_000, 1_000_000), "audio/wav", 65_536)


@pytest.mark.parametrize("data", [files.mp4(), files.webm()])
async def test_a_container_that_is_said_to_hold_sound_is_taken_for_sound(data: bytes) -> None:
    declared = "audio/webm" if data == files.webm() else "audio/mp4"

    facts = (await inspect(data, declared)).known

    assert (facts.content_type, facts.medium) == (declared, MediaKind.AUDIO)


async def test_a_photo_with_a_film_behind_it_is_a_photo() -> None:
    facts = (await inspect(files.picture("JPEG") + files.mp4(), "image/jpeg", 100)).known

    assert facts.content_type == "image/jpeg"


@pytest.mark.A56
@pytest.mark.parametrize("name", RIGHT)
async def test_a_file_that_is_cut_in_its_header_is_refused_and_not_a_fault_of_ours(
    name: str,
) -> None:
    data = RIGHT[name][0]

    for length in range(1, 13):
        with pytest.raises(UnfitMedia):
            await inspect(data[:length], name)


@pytest.mark.parametrize(
    ("declared", "duration"),
    [(500, 500), (0, 500), (2**32 - 1, 500), (9_999, 500), (300, 300)],
    ids=["as it is", "not known yet", "endless", "longer than the file", "shorter"],
)
async def test_a_sound_is_as_long_as_its_bytes_whatever_its_header_says(
    declared: int, duration: int
) -> None:
    size = declared * 8 if declared < 2**31 else declared
    data = files.wav(500).replace(struct.pack("<I", 4_000), struct.pack("<I", size))

    facts = (await inspect(data, "audio/wav")).known

    assert facts.duration_ms == duration
