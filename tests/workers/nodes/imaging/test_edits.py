"""What becomes of the pixels."""

from typing import Any

import pytest
from PIL import Image, ImageCms

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import (
    Anchor,
    Caption,
    Compose,
    Convert,
    Crop,
    Fit,
    ImageFormat,
    Resize,
    SaveOptions,
)
from tests.support.media.pictures import (
    BLACK,
    BLUE,
    RED,
    WHITE,
    edited,
    encoded,
    halves,
    is_near,
    opened,
    pixel,
    plain,
)
from workers.nodes import imaging
from workers.nodes.imaging.opening import open_picture
from workers.nodes.imaging.sizes import sized

PNG = SaveOptions(format=ImageFormat.PNG)


# -- resize ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "fit", "size"),
    [
        (100, None, Fit.CONTAIN, (100, 50)),
        (None, 100, Fit.CONTAIN, (200, 100)),
        (100, 100, Fit.CONTAIN, (100, 50)),
        (100, 100, Fit.COVER, (100, 100)),
        (100, 100, Fit.STRETCH, (100, 100)),
        (800, 800, Fit.CONTAIN, (800, 400)),
        (1, None, Fit.CONTAIN, (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_size_is_reached_as_is_asked(
    kind: str, width: int | None, height: int | None, fit: Fit, size: tuple[int, int]
) -> None:
    source = halves((400, 200), kind=kind)

    image = edited(Resize(width=width, height=height, fit=fit), source)

    assert (image.size, image.format) == (size, kind)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_cover_cuts_off_on_both_sides_alike(kind: str) -> None:
    image = edited(
        Resize(width=100, height=100, fit=Fit.COVER, saving=PNG), halves((1600, 800), kind=kind)
    )

    assert is_near(pixel(image, 0.4, 0.5), RED)
    assert is_near(pixel(image, 0.6, 0.5), BLUE)


@pytest.mark.parametrize(
    ("fit", "size"),
    [(Fit.CONTAIN, (100, 50)), (Fit.COVER, (200, 100)), (Fit.STRETCH, (100, 100))],
)
def test_no_less_is_decoded_than_is_needed(fit: Fit, size: tuple[int, int]) -> None:
    assert sized(Resize(width=100, height=100, fit=fit), (400, 200)) == size


@pytest.mark.parametrize("size", [(10_001, None), (None, 10_001)])
def test_a_size_that_would_be_too_large_is_refused_before_it_is_made(size: Any) -> None:
    width, height = size

    with pytest.raises(NodeFailed) as raised:
        imaging.edit(Resize(width=width, height=height), [plain((10, 10))])
    with pytest.raises(NodeFailed) as long:
        imaging.edit(Resize(width=1_000, height=None), [plain((1, 11))])

    assert raised.value.code == long.value.code == "invalid_value"


# -- crop -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "size"),
    [
        (Crop(ratio=(1, 1)), (200, 200)),
        (Crop(ratio=(4, 1)), (400, 100)),
        (Crop(size=(50, 60)), (50, 60)),
        (Crop(size=(1_000, 60)), (400, 60)),
        (Crop(size=(50, 60), corner=(380, 190)), (20, 10)),
    ],
)
def test_a_part_has_the_size_that_is_asked_for_as_far_as_the_image_goes(
    task: Crop, size: tuple[int, int]
) -> None:
    assert edited(task, halves((400, 200))).size == size


@pytest.mark.parametrize(
    ("anchor", "color"), [(Anchor.LEFT, RED), (Anchor.TOP_LEFT, RED), (Anchor.RIGHT, BLUE)]
)
def test_a_part_is_taken_at_its_anchor(anchor: Anchor, color: tuple[int, ...]) -> None:
    image = edited(Crop(size=(50, 50), anchor=anchor), halves((400, 200)))

    assert image.getcolors() == [(2_500, color)]


def test_a_part_outside_of_the_image_is_refused() -> None:
    with pytest.raises(NodeFailed) as raised:
        imaging.edit(Crop(size=(5, 5), corner=(400, 0)), [plain((400, 200))])

    assert (raised.value.code, raised.value.message) == (
        "invalid_value",
        "Nothing of the image, which has 400 x 200 pixels, would be left",
    )


# -- compose --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_overlay_stands_at_its_anchor_in_its_size(kind: str, mode: str) -> None:
    base = plain((400, 200), RED if mode == "RGB" else (*RED, 255), mode)
    overlay = plain((600, 300), BLUE, kind=kind)

    image = edited(Compose(anchor=Anchor.TOP_LEFT, scale=0.5, margin=0.1), base, overlay)

    image = image.convert("RGB")
    assert image.size == (400, 200)
    assert [is_near(pixel(image, *at), BLUE) for at in [(0.12, 0.25), (0.58, 0.65)]] == [True] * 2
    assert [pixel(image, *at) for at in [(0.08, 0.25), (0.62, 0.5), (0.3, 0.75)]] == [RED] * 3


def test_an_overlay_lets_through_what_is_behind_it() -> None:
    base, clear = plain((100, 100)), plain((100, 100), (*BLUE, 0), "RGBA")
    whole = Compose(scale=1, margin=0)

    hidden = edited(whole, base, clear)
    half = edited(Compose(scale=1, margin=0, opacity=0.5), base, plain((100, 100), BLUE))

    assert hidden.getcolors() == [(10_000, RED)]
    assert is_near(pixel(half, 0.5, 0.5), (128, 0, 128))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_overlay_that_is_too_high_is_cut_off(mode: str) -> None:
    base = plain((100, 100), RED if mode == "RGB" else (*RED, 255), mode)

    image = edited(Compose(scale=0.5, margin=0), base, plain((100, 1_000), BLUE)).convert("RGB")

    assert image.size == (100, 100)
    assert (pixel(image, 0.2, 0.5), pixel(image, 0.8, 0.5)) == (RED, BLUE)


# -- caption --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    ("anchor", "place", "other"),
    [
        (Anchor.BOTTOM, 0.99, 0.01),
        (Anchor.TOP, 0.01, 0.99),
        (Anchor.CENTER, 0.42, 0.01),
    ],
)
def test_a_caption_stands_on_a_band(anchor: Anchor, place: float, other: float, mode: str) -> None:
    base = plain((400, 200), RED if mode == "RGB" else (*RED, 255), mode)
    task = Caption(text="Grüße — ½ €", anchor=anchor, size=10, background="#0000ff")

    image = edited(task, base).convert("RGB")

    assert (pixel(image, 0.01, place), pixel(image, 0.01, other)) == (BLUE, RED)
    colors = {color for _, color in image.getcolors(1_000_000) or []}
    assert WHITE in colors


def test_the_band_and_the_letters_may_let_through_what_is_behind_them() -> None:
    task = Caption(text="H", size=50, color="#00ff0080", background="#0000ff80")

    image = edited(task, plain((400, 200)))

    assert is_near(pixel(image, 0.01, 0.9), (127, 0, 128))


def test_a_long_caption_is_broken_and_made_smaller_until_it_fits() -> None:
    text = "word " * 200 + "x" * 500

    image = edited(Caption(text=text, size=20, background="#000000"), plain((300, 300)))

    assert pixel(image, 0, 0.99) == BLACK
    assert image.size == (300, 300)


def test_the_end_of_a_long_caption_is_to_be_seen_too() -> None:
    base, text = plain((300, 300)), "word " * 60

    one, other = (edited(Caption(text=f"{text}\n{end}", size=20), base) for end in ("III", "MMM"))

    assert one.tobytes() != other.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1)])
def test_a_caption_on_an_image_that_is_too_small_does_no_harm(size: tuple[int, int]) -> None:
    assert edited(Caption(text="hello there"), plain(size)).size == size


def test_lines_are_kept_and_signs_without_a_glyph_left_out() -> None:
    base = plain((400, 400), BLACK)

    [one, two, same] = [
        edited(Caption(text=text, size=5), base) for text in ("a b", "a\nb", "a b \U0001f600")
    ]

    assert one.tobytes() != two.tobytes()
    assert one.tobytes() == same.tobytes()


@pytest.mark.parametrize("text", ["", " \n ", "\U0001f600"])
def test_a_caption_of_nothing_changes_nothing(text: str) -> None:
    assert edited(Caption(text=text), plain((40, 40))).getcolors() == [(1_600, RED)]


# -- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", list(ImageFormat))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_every_format_that_is_read_can_be_written_as_every_other(
    kind: str, target: ImageFormat
) -> None:
    source = halves((64, 32), kind=kind)

    image = edited(Convert(saving=SaveOptions(format=target)), source)

    assert (image.size, image.format) == ((64, 32), target.upper())
    assert is_near(pixel(image.convert("RGB"), 0.1, 0.5), RED, by=40)


def test_an_image_stays_what_it_was_and_a_gif_becomes_a_png_of_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, BLUE)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert edited(Convert(), plain((8, 8), kind="WEBP")).format == "WEBP"
    image = edited(Convert(), moving)
    assert image.format == "PNG"
    assert pixel(image.convert("RGB"), 0.5, 0.5) == RED


def test_a_quality_makes_files_smaller() -> None:
    source = encoded(Image.effect_noise((200, 200), 80))

    sizes = [
        len(imaging.edit(Convert(saving=SaveOptions(format=each, quality=quality)), [source]).data)
        for each in (ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF)
        for quality in (10, 95)
    ]

    assert all(low < high / 2 for low, high in zip(sizes[::2], sizes[1::2], strict=True))


def test_an_avif_that_would_take_too_much_memory_is_refused() -> None:
    with pytest.raises(NodeFailed) as raised:
        imaging.edit(Convert(saving=SaveOptions(format=ImageFormat.AVIF)), [plain((4_000, 3_300))])

    assert (raised.value.code, raised.value.message) == (
        "resource_exhausted",
        "An AVIF can be written with at most 13000000 pixels; resize it first",
    )


def test_what_was_transparent_gets_the_background_where_the_format_has_no_transparency() -> None:
    source = plain((20, 20), (*RED, 0), "RGBA")

    kept = edited(Convert(saving=PNG), source)
    white = edited(Convert(saving=SaveOptions(format=ImageFormat.JPEG)), source)
    blue = edited(Convert(saving=SaveOptions(format=ImageFormat.JPEG, background="#00f8")), source)

    assert kept.mode == "RGBA"
    assert is_near(pixel(white, 0.5, 0.5), WHITE)
    assert is_near(pixel(blue, 0.5, 0.5), BLUE)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_way_to_hold_colors_is_read(mode: str) -> None:
    gray = Image.new("L", (8, 8), 128)
    if mode == "I;16":
        source = encoded(Image.new("I;16", (8, 8), 128 * 257))
    else:
        source = encoded(gray.convert(mode), "JPEG" if mode == "CMYK" else "PNG")

    image = edited(Convert(saving=PNG), source).convert("RGB")

    [(count, color)] = image.getcolors() or []
    assert count == 64
    assert is_near(color, (128, 128, 128), by=3)


def test_an_image_in_black_and_white_is_read() -> None:
    assert edited(Convert(), plain((8, 8), 1, "1")).getcolors() == [(64, WHITE)]


def test_a_palette_with_transparency_stays_transparent() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    source = encoded(image, transparency=0)

    assert pixel(edited(Convert(saving=PNG), source), 0.5, 0.5)[3] == 0


# -- what comes along -----------------------------------------------------------------------------


def turned(orientation: int) -> bytes:
    image = Image.new("RGB", (40, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A camera"
    return encoded(image, "JPEG", exif=exif.tobytes(), quality=95)


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (40, 20), (0.1, 0.5)),
        (2, (40, 20), (0.9, 0.5)),
        (3, (40, 20), (0.9, 0.5)),
        (4, (40, 20), (0.1, 0.5)),
        (5, (20, 40), (0.5, 0.1)),
        (6, (20, 40), (0.5, 0.1)),
        (7, (20, 40), (0.5, 0.9)),
        (8, (20, 40), (0.5, 0.9)),
        (9, (40, 20), (0.1, 0.5)),
    ],
)
def test_images_are_turned_upright(
    orientation: int, size: tuple[int, int], red_at: tuple[float, float]
) -> None:
    source = turned(orientation)

    image = edited(Convert(saving=PNG), source)
    small = edited(Resize(width=size[0] // 4, height=None, saving=PNG), source)

    assert image.size == size
    assert is_near(pixel(image, *red_at), RED, by=40)
    assert small.size == (size[0] // 4, size[1] // 4)


@pytest.mark.parametrize("target", list(ImageFormat))
def test_metadata_does_not_come_along(target: ImageFormat) -> None:
    made = imaging.edit(Convert(saving=SaveOptions(format=target)), [turned(6)])

    assert b"A camera" not in made.data
    assert not opened(made).getexif()


def test_a_color_profile_comes_along_where_it_fits() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    kept = edited(Convert(), plain((8, 8), icc_profile=profile))
    unfit = edited(Convert(), plain((8, 8), 0, "L", icc_profile=profile))

    assert kept.info.get("icc_profile") == profile
    assert "icc_profile" not in unfit.info


def test_a_jpeg_is_not_decoded_in_full_for_a_small_image() -> None:
    picture = open_picture(plain((1_600, 1_200), kind="JPEG"), draft=lambda size: (200, 150))

    assert (picture.image.size, picture.full_size) == ((200, 150), (1_600, 1_200))


def test_as_much_is_decoded_of_an_image_on_its_side_as_is_needed_of_it_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = plain((1_600, 800), kind="JPEG", exif=exif.tobytes())

    wide = open_picture(source, draft=lambda size: (size[0], size[1] // 8))
    small = open_picture(source, draft=lambda size: (size[0] // 8, size[1] // 8))

    assert (wide.image.size, wide.full_size) == ((800, 1_600), (800, 1_600))
    assert (small.image.size, small.full_size) == ((100, 200), (800, 1_600))
