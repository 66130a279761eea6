"""Composition of two images."""

import pytest

from engine.nodes.support.image_edits import (
    Anchor,
    Compose,
)
from tests.support.media.pictures import (
    BLUE,
    RED,
    edited,
    is_near,
    pixel,
    plain,
)


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


def test_a_transparent_overlay_shows_the_image_behind_it() -> None:
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
