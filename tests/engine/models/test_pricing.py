"""Prices: exact, rounded up once at the end, never negative."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.pricing import Price, Unit, Usage, cost_micro_usd, credits_for

PRICES = st.decimals(min_value=0, max_value=1000, places=12).map(abs)
PRICINGS = st.dictionaries(st.sampled_from(Unit), PRICES).map(
    lambda prices: [Price(unit=unit, usd=usd) for unit, usd in prices.items()]
)
COUNTS = st.integers(min_value=0, max_value=10**9)
USAGES = st.builds(
    Usage,
    calls=COUNTS,
    images=COUNTS,
    seconds=st.decimals(min_value=0, max_value=10**6, places=6).map(abs),
    input_seconds=st.decimals(min_value=0, max_value=10**6, places=6).map(abs),
    input_tokens=COUNTS,
    output_tokens=COUNTS,
)
MARKUPS = st.decimals(min_value=0, max_value=100, places=4).map(abs)


def per(unit: Unit, usd: str) -> list[Price]:
    return [Price(unit=unit, usd=Decimal(usd))]


@pytest.mark.parametrize(
    ("unit", "usd", "usage", "expected"),
    [
        (Unit.CALL, "0.010", Usage(calls=1), 10_000),
        (Unit.CALL, "0.010", Usage(calls=3, images=5), 30_000),
        (Unit.CALL, "0.0000001", Usage(calls=1), 1),
        (Unit.IMAGE, "0.039", Usage(calls=1, images=4), 156_000),
        (Unit.SECOND, "0.05", Usage(seconds=Decimal("2.5")), 125_000),
        (Unit.SECOND, "0.0000003", Usage(seconds=Decimal("0.1")), 1),
        (Unit.INPUT_TOKEN, "0.00000015", Usage(input_tokens=1_000_000), 150_000),
        (Unit.OUTPUT_TOKEN, "0.0000006", Usage(output_tokens=5, input_tokens=9), 3),
        (Unit.CALL, "0", Usage(calls=1_000), 0),
        (Unit.CALL, "1.5", Usage(), 0),
    ],
)
def test_a_cost_is_the_units_used_times_their_price_rounded_up(
    unit: Unit, usd: str, usage: Usage, expected: int
) -> None:
    assert cost_micro_usd(per(unit, usd), usage) == expected


def test_the_prices_of_a_model_add_up_before_they_are_rounded() -> None:
    pricing = per(Unit.INPUT_TOKEN, "0.0000004") + per(Unit.OUTPUT_TOKEN, "0.0000006")

    assert cost_micro_usd(pricing, Usage(input_tokens=1, output_tokens=1)) == 1


@pytest.mark.parametrize(
    ("micro_usd", "markup", "expected"),
    [
        (0, "1.5", 0),
        (1, "1", 1),
        (1_000, "1", 1),
        (1_001, "1", 2),
        (10_000, "1", 10),
        (10_000, "1.3", 13),
        (10_000, "1.5", 15),
        (10_001, "1.5", 16),
        (39_000, "1.1", 43),
        (39_000, "0", 0),
    ],
)
def test_credits_are_the_marked_up_price_in_thousandths_rounded_up(
    micro_usd: int, markup: str, expected: int
) -> None:
    assert credits_for(micro_usd, Decimal(markup)) == expected


@given(PRICINGS, USAGES)
def test_a_cost_is_exact_but_for_less_than_one_at_the_end(
    pricing: list[Price], usage: Usage
) -> None:
    counts = {
        Unit.CALL: usage.calls,
        Unit.IMAGE: usage.images,
        Unit.SECOND: usage.seconds,
        Unit.INPUT_SECOND: usage.input_seconds,
        Unit.INPUT_TOKEN: usage.input_tokens,
        Unit.OUTPUT_TOKEN: usage.output_tokens,
    }
    exact = sum(Fraction(price.usd) * Fraction(counts[price.unit]) for price in pricing) * 10**6

    assert 0 <= cost_micro_usd(pricing, usage) - exact < 1


@given(PRICINGS, USAGES, USAGES)
def test_what_is_charged_together_is_at_most_one_less_than_apart(
    pricing: list[Price], first: Usage, second: Usage
) -> None:
    apart = cost_micro_usd(pricing, first) + cost_micro_usd(pricing, second)

    assert apart - cost_micro_usd(pricing, first + second) in (0, 1)


@given(PRICINGS, USAGES, st.integers(min_value=0, max_value=1_000))
def test_usage_times_a_number_is_that_many_times_added(
    pricing: list[Price], usage: Usage, times: int
) -> None:
    if times < 5:
        assert usage * times == sum([usage] * times, Usage())
    assert cost_micro_usd(pricing, usage * times) <= times * cost_micro_usd(pricing, usage)


@given(st.integers(min_value=0, max_value=10**15), MARKUPS)
def test_credits_are_exact_but_for_less_than_one(micro_usd: int, markup: Decimal) -> None:
    exact = Fraction(markup) * micro_usd / 1000

    assert 0 <= credits_for(micro_usd, markup) - exact < 1


@given(PRICINGS, USAGES, MARKUPS)
def test_the_precision_that_a_program_has_set_for_decimals_changes_nothing(
    pricing: list[Price], usage: Usage, markup: Decimal
) -> None:
    cost = cost_micro_usd(pricing, usage)
    credits = credits_for(cost, markup)

    with localcontext(prec=3):
        assert cost_micro_usd(pricing, usage) == cost
        assert credits_for(cost, markup) == credits


@pytest.mark.parametrize(
    "usage",
    [
        {"calls": -1},
        {"images": -1},
        {"seconds": Decimal("-0.1")},
        {"seconds": Decimal("NaN")},
        {"seconds": Decimal("Infinity")},
        {"input_tokens": -5},
        {"output_tokens": -5},
    ],
)
def test_usage_is_never_less_than_nothing(usage: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        Usage(**usage)
