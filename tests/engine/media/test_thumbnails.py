import contextlib
import io
import resource
from collections.abc import Iterator

import pytest
from PIL import Image

from engine.media import thumbnails
from engine.media.formats import UnfitMedia
from engine.media.thumbnails import make_thumbnail
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.media import files, hostile_images


@pytest.fixture(autouse=True)
def long_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take long to start a process; CPU time is limited instead."""
    monkeypatch.setattr(thumbnails, "SECONDS", PATIENCE_SECONDS)


@contextlib.contextmanager
def children_limit(seconds: float) -> Iterator[None]:
    """Fail if the processes that end in the span took more CPU time than this."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert taken < seconds


async def test_a_picture_becomes_smaller_and_keeps_its_shape() -> None:
    made = await make_thumbnail(files.picture("JPEG", 1_600, 800), 256)

    with Image.open(io.BytesIO(made)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (256, 128))


async def test_of_an_animation_the_first_frame_is_shown_however_many_there_are() -> None:
    with children_limit(5):
        await make_thumbnail(files.gif_head(10, 10, frames=50_000), 64)


async def test_a_picture_that_is_small_enough_stays_as_large() -> None:
    made = await make_thumbnail(files.png(40, 30), 64)

    with Image.open(io.BytesIO(made)) as picture:
        assert picture.size == (40, 30)


@pytest.mark.parametrize(
    "data",
    [
        files.png_head(7_000, 7_000),
        files.png_head(65_535, 65_535),
        files.picture("TIFF"),
        files.picture("JPEG")[:400],
        b"",
    ],
    ids=["png of nothing", "png bomb", "other format", "jpeg cut", "nothing"],
)
async def test_what_cannot_be_shown_is_refused_in_little_time(data: bytes) -> None:
    with children_limit(5), pytest.raises(UnfitMedia):
        await make_thumbnail(data, 256)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_images_that_mean_harm_cost_little_and_are_not_shown() -> None:
    for _, make in hostile_images.every():
        data = make()
        with children_limit(6), pytest.raises(UnfitMedia):
            await make_thumbnail(data, 64)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 512 * 1024
