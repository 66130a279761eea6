"""Prices and usage: what calls of a model cost, in integers, always rounded up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, auto
from fractions import Fraction

MICRO = 1_000_000
MICRO_USD_PER_CREDIT = 1_000
IMAGE_TOKENS = 16_000
"""Twelve megapixels in patches of 32 dots, with a factor of 1.2, are 14,300 where most is asked."""


class Unit(StrEnum):
    """What a price is for."""

    CALL = auto()
    IMAGE = auto()
    SECOND = auto()
    INPUT_TOKEN = auto()
    OUTPUT_TOKEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit costs, and how many of them one call can take."""

    unit: Unit
    usd: Decimal
    field: str | None = None
    """The field that says how many a call asks for."""
    at_most: int = 1
    """How many a call takes at most; tokens that are sent, as long as nobody knows them."""
    per_image: int = IMAGE_TOKENS
    """How many tokens an image among them is at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What calls have used, or can use. Raises ValueError for less than nothing."""

    calls: int = 0
    images: int = 0
    seconds: Decimal = Decimal(0)
    """Of output."""
    input_tokens: int = 0
    output_tokens: int = 0

    def __post_init__(self) -> None:
        if not self.seconds.is_finite() or min(_counts(self)) < 0:
            raise ValueError(f"{self} is less than nothing")

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            images=self.images + other.images,
            seconds=self.seconds + other.seconds,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )

    def __mul__(self, times: int) -> "Usage":
        return Usage(
            calls=self.calls * times,
            images=self.images * times,
            seconds=self.seconds * times,
            input_tokens=self.input_tokens * times,
            output_tokens=self.output_tokens * times,
        )

    def within(self, most: "Usage") -> "Usage":
        """As much of it as is not over the most there may be."""
        return Usage(
            calls=min(self.calls, most.calls),
            images=min(self.images, most.images),
            seconds=min(self.seconds, most.seconds),
            input_tokens=min(self.input_tokens, most.input_tokens),
            output_tokens=min(self.output_tokens, most.output_tokens),
        )


def cost_micro_usd(pricing: Sequence[Price], usage: Usage) -> int:
    """What the provider asks for it, in millionths of a USD, rounded up."""
    counts = dict(zip(Unit, _counts(usage), strict=True))
    # Fractions: a Decimal rounds to its context's precision on the way.
    exact = sum(Fraction(price.usd) * Fraction(counts[price.unit]) for price in pricing)
    return math.ceil(exact * MICRO)


def credits_for(micro_usd: int, markup: Decimal) -> int:
    """The credits to take for a provider's price, rounded up."""
    return math.ceil(Fraction(markup) * micro_usd / MICRO_USD_PER_CREDIT)


def _counts(usage: Usage) -> tuple[int | Decimal, ...]:
    """In the order of the units."""
    return (
        usage.calls,
        usage.images,
        usage.seconds,
        usage.input_tokens,
        usage.output_tokens,
    )
