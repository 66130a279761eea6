"""Formats of written images."""

import pytest
from PIL import Image

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import (
    Convert,
    ImageFormat,
    SaveOptions,
)
from tests.support.media.pictures import (
    BLUE,
    RED,
    WHITE,
    edited,
    encoded,
    halves,
    is_near,
    pixel,
    plain,
)
from workers.nodes import imaging

PNG = SaveOptions(format=ImageFormat.PNG)


@pytest.mark.parametrize("target", list(ImageFormat))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_every_format_that_is_read_can_be_written_as_every_other(
    kind: str, target: ImageFormat
) -> None:
    source = halves((64, 32), kind=kind)

    image = edited(Convert(saving=SaveOptions(format=target)), source)

    assert (image.size, image.format) == ((64, 32), target.upper())
    assert is_near(pixel(image.convert("RGB"), 0.1, 0.5), RED, by=40)


def test_an_image_keeps_its_format_and_a_gif_becomes_a_png_of_its_first_frame() -> None:
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


def test_transparent_parts_get_the_background_in_formats_without_transparency() -> None:
    source = plain((20, 20), (*RED, 0), "RGBA")

    kept = edited(Convert(saving=PNG), source)
    white = edited(Convert(saving=SaveOptions(format=ImageFormat.JPEG)), source)
    blue = edited(Convert(saving=SaveOptions(format=ImageFormat.JPEG, background="#00f8")), source)

    assert kept.mode == "RGBA"
    assert is_near(pixel(white, 0.5, 0.5), WHITE)
    assert is_near(pixel(blue, 0.5, 0.5), BLUE)
