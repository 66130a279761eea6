"""Opening of images: color modes, orientation, metadata and size."""

import pytest
from PIL import Image, ImageCms

from engine.nodes.support.image_edits import (
    Convert,
    ImageFormat,
    Resize,
    SaveOptions,
)
from tests.support.media.pictures import (
    BLUE,
    RED,
    WHITE,
    edited,
    encoded,
    is_near,
    opened,
    pixel,
    plain,
)
from workers.nodes import imaging
from workers.nodes.imaging.opening import open_picture

PNG = SaveOptions(format=ImageFormat.PNG)


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
