"""Sizes and parts of images."""

from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.image_edits import (
    Anchor,
    Crop,
    Fit,
    ImageFormat,
    Resize,
    SaveOptions,
)
from tests.support.media.pictures import (
    BLUE,
    RED,
    edited,
    halves,
    is_near,
    pixel,
    plain,
)
from workers.nodes import imaging
from workers.nodes.imaging.sizes import sized

PNG = SaveOptions(format=ImageFormat.PNG)


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
