import contextlib
import io
import resource
from collections.abc import Iterator

import pytest
from PIL import Image

from engine.media.formats import UnfitMedia
from engine.media.pictures import children
from engine.media.pictures.children import PageNotFound, make_page, make_thumbnail
from tests.support.documents.samples import pdf
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.media import files, hostile_images


@pytest.fixture(autouse=True)
def long_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take long to start a process; CPU time is limited instead."""
    monkeypatch.setattr(children, "SECONDS", PATIENCE_SECONDS)


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


@pytest.mark.A91e
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_images_that_mean_harm_cost_little_and_are_not_shown() -> None:
    for _, make in hostile_images.every():
        data = make()
        with children_limit(6), pytest.raises(UnfitMedia):
            await make_thumbnail(data, 64)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 512 * 1024


# -- pages of PDFs --------------------------------------------------------------------------------


def sized(width: int, height: int) -> bytes:
    """Return a PDF with a page of that size."""
    data = pdf("x" * 40)
    assert data.count(b"[0 0 300 200]") == 1
    return data.replace(b"[0 0 300 200]", f"[0 0 {width} {height}]".encode())


async def test_a_page_is_drawn_black_on_white_with_its_shape() -> None:
    made = await make_page(pdf("First", "Second"), 512, 2)

    with Image.open(io.BytesIO(made)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (512, 342))
        grey = picture.convert("L")
        darkest, lightest = grey.getextrema()
        assert (darkest < 64, lightest) == (True, 255)


async def test_pages_differ() -> None:
    data = pdf("First", "Second")

    assert await make_page(data, 128, 1) != await make_page(data, 128, 2)


async def test_there_is_no_page_behind_the_last() -> None:
    for page in (3, 20):
        with pytest.raises(PageNotFound):
            await make_page(pdf("First", "Second"), 64, page)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(1, 14_400, (1, 1_024)), (14_400, 1, (256, 1)), (14_400, 14_400, (256, 256))],
)
async def test_a_page_of_any_shape_takes_little_room(
    width: int, height: int, size: tuple[int, int]
) -> None:
    made = await make_page(sized(width, height), 256, 1)

    with Image.open(io.BytesIO(made)) as picture:
        assert picture.size == size


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7", pdf()[:300].replace(b"obj", b"xxx"), files.png(), b""],
    ids=["nothing", "cut", "a picture", "empty"],
)
async def test_a_document_that_cannot_be_read_has_no_picture(data: bytes) -> None:
    with pytest.raises(UnfitMedia):
        await make_page(data, 64, 1)


@pytest.mark.A91e
async def test_a_page_of_much_work_is_given_up() -> None:
    """A page that draws a form, which draws another, many times each."""
    with children_limit(7), pytest.raises(UnfitMedia):
        await make_page(pdf_bomb(), 1_024, 1)


def pdf_bomb(depth: int = 9, times: int = 10) -> bytes:
    """Return a PDF whose page draws `times ** depth` squares."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R "
        b"/Resources << /XObject << /F 5 0 R >> >> >>",
        b"<< /Length 4 >>\nstream\n/F Do\nendstream",
    ]
    for level in range(depth):
        last = level == depth - 1
        content = (b"0 0 290 290 re f\n" if last else b"/F Do\n") * times
        inner = b"" if last else b"/Resources << /XObject << /F %d 0 R >> >> " % (6 + level)
        head = b"<< /Type /XObject /Subtype /Form /BBox [0 0 300 300] %s/Length %d >>"
        objects.append(head % (inner, len(content)) + b"\nstream\n" + content + b"endstream")
    data = b"%PDF-1.7\n"
    for number, body in enumerate(objects, 1):
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return data + b"trailer\n<< /Root 1 0 R >>\n%%EOF\n"
