"""Maximum usage of a call, by its manifest."""

from decimal import Decimal

import pytest

from engine.models.pricing import Usage
from tests.support.manifests import PROMPT, model

DURATION = '[[fields]]\nname = "duration"\ntype = "number"\nmax = 12.5\n'
FIXED = '[builtin]\ntemplate = "https://a.example/"'
PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.05"\nfield = "duration"\n'


@pytest.mark.parametrize(
    ("fields", "values", "seconds"),
    [
        (DURATION, {"duration": 5}, "5"),
        (DURATION, {"duration": 2.5}, "2.5"),
        (DURATION, {}, "13"),
        (DURATION, {"duration": 99}, "13"),
        (DURATION, {"duration": -1}, "0"),
        (DURATION, {"duration": "5"}, "13"),
        (DURATION, {"duration": True}, "13"),
        (DURATION, {"duration": float("nan")}, "13"),
        (DURATION + "default = 4\n", {}, "4"),
    ],
)
def test_a_field_says_how_many_a_call_takes_up_to_its_max(
    fields: str, values: dict[str, object], seconds: str
) -> None:
    clip = model(category="video", fields=fields, pricing=PER_SECOND, call=FIXED)

    assert clip.max_usage(values) == Usage(calls=1, seconds=Decimal(seconds))


def priced(*units: tuple[str, int]) -> str:
    return "".join(
        f'[[pricing]]\nunit = "{unit}"\nusd = "1"\natMost = {most}\n' for unit, most in units
    )


def test_without_a_field_a_call_takes_the_most_that_the_price_names() -> None:
    pricing = priced(("input_token", 100), ("output_token", 200), ("second", 7))

    assert model(pricing=pricing).max_usage({"prompt": "x"}) == Usage(
        calls=1, input_tokens=1_003, output_tokens=200, seconds=Decimal(7)
    )


def test_what_a_call_is_sent_is_taken_for_tokens_as_soon_as_it_is_known() -> None:
    found = model(pricing=priced(("input_token", 5_000)))

    assert found.max_usage({}, is_partial=True).input_tokens == 5_000
    assert found.max_usage({"prompt": "x" * 10}).input_tokens == 1_012
    assert found.max_usage({"prompt": "x" * 9_000}).input_tokens == 10_002
    assert found.max_usage({"prompt": "x" * 9_000}, is_partial=True).input_tokens == 10_002


def test_a_field_may_say_how_many_tokens_are_sent() -> None:
    fields = PROMPT + '[[fields]]\nname = "n"\ntype = "number"\nmax = 40\n'
    pricing = '[[pricing]]\nunit = "input_token"\nusd = "1"\nfield = "n"\n'

    assert (
        model(fields=fields, pricing=pricing).max_usage({"prompt": "x", "n": 8}).input_tokens == 8
    )


@pytest.mark.parametrize(("category", "images"), [("image", 1), ("text", 0)])
def test_a_call_gives_one_image_where_nothing_else_is_said(category: str, images: int) -> None:
    assert model(category=category).max_usage({}) == Usage(calls=1, images=images)


def test_images_may_be_counted_by_a_field() -> None:
    fields = '[[fields]]\nname = "count"\ntype = "slider"\nmax = 4\n'
    pricing = '[[pricing]]\nunit = "image"\nusd = "1"\nfield = "count"\n'
    painter = model(category="image", fields=fields, pricing=pricing, call=FIXED)

    assert painter.max_usage({"count": 3}).images == 3
    assert painter.max_usage({}).images == 4
