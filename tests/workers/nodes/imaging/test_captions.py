"""Captions on images."""

import pytest

from engine.nodes.support.image_edits import (
    Anchor,
    Caption,
)
from tests.support.media.pictures import (
    BLACK,
    BLUE,
    RED,
    WHITE,
    edited,
    is_near,
    pixel,
    plain,
)


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


def test_the_band_and_the_letters_may_be_transparent() -> None:
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
