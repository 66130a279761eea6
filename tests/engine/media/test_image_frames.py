"""Image files in pieces of any size, checked up to their end."""

import random

import pytest

from engine.media.formats import MAX_FRAMES, UnfitMedia
from engine.media.image_frames import Frames, JpegEnd
from tests.support.media import files
from tests.support.process.cpu_time import cpu_limit

WHOLE = {
    **{f"image/{kind}": files.animation(kind, 3) for kind in ("gif", "png", "webp")},
    "image/gif 1": files.picture("GIF"),
    "image/png 1": files.picture("PNG"),
    "image/webp 1": files.picture("WEBP"),
    "image/webp lossless": files.picture("WEBP", lossless=True),
    "image/gif most": files.gif_head(10, 10, MAX_FRAMES),
    "image/png most": files.png_frames(MAX_FRAMES, said=MAX_FRAMES),
    "image/webp most": files.webp_frames(MAX_FRAMES),
    "image/gif padded": files.picture("GIF")[:-1] + b"\0\0;",
}


def follow(kind: str, data: bytes, size: int = 4_096) -> None:
    frames = Frames(kind.partition(" ")[0])
    for start in range(0, len(data), size):
        frames.feed(data[start : start + size])
    frames.finish()


@pytest.mark.parametrize("size", [1, 2, 7, 65_536])
@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_file_is_followed_to_its_end_however_it_is_cut(kind: str, size: int) -> None:
    follow(kind, WHOLE[kind], size)


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if "most" not in kind])
def test_a_file_that_is_cut_or_goes_on_is_refused(kind: str) -> None:
    data = WHOLE[kind]

    for length in range(len(data)):
        with pytest.raises(UnfitMedia):
            follow(kind, data[:length])
    for more in (b";", b"\0", b"<script>", b"PK\x03\x04", data):
        if kind.startswith("image/webp"):
            continue  # what its head says of its size is held against the bytes
        with pytest.raises(UnfitMedia):
            follow(kind, data + more)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/gif", files.gif_head(10, 10, MAX_FRAMES + 1)),
        ("image/png", files.png_frames(MAX_FRAMES + 1)),
        ("image/png", files.png_frames(0, said=MAX_FRAMES + 1)),
        ("image/webp", files.webp_frames(MAX_FRAMES + 1)),
    ],
)
def test_one_frame_too_many_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(UnfitMedia, match="more than 1000 frames"):
        follow(kind, data)


def test_any_byte_changed_ends_in_words() -> None:
    dice = random.Random(1)
    for kind, data in WHOLE.items():
        for _ in range(200 if len(data) < 10_000 else 5):
            place = dice.randrange(len(data))
            changed = data[:place] + dice.randbytes(1) + data[place + 1 :]
            try:
                follow(kind, changed, dice.randint(1, 999))
            except UnfitMedia as error:
                assert str(error)


def test_a_large_file_is_followed_in_little_time() -> None:
    block = b"\xff" + bytes(255)
    data = files.gif_head(10, 10)[:-2] + block * 80_000 + b"\0;"

    with cpu_limit(1):
        follow("image/gif", data, 65_536)

    assert len(data) > 20_000_000


@pytest.mark.parametrize("size", [1, 2, 7, 65_536])
def test_a_jpeg_ends_with_its_mark_however_it_is_cut(size: int) -> None:
    data = files.picture("JPEG")

    assert_ends(data, size)
    assert_ends(data + b"\0\0", size)
    for length in (1, len(data) - 2, len(data) - 1):
        with pytest.raises(UnfitMedia, match="does not end"):
            assert_ends(data[:length], size)


def assert_ends(data: bytes, size: int) -> None:
    end = JpegEnd()
    for start in range(0, len(data), size):
        end.feed(data[start : start + size])
    end.finish()
