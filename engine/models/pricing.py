"""Prices, usage and costs of model calls; costs are integers, rounded up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum, auto
from fractions import Fraction

MICRO = 1_000_000
MICRO_USD_PER_CREDIT = 1_000
IMAGE_TOKENS = 16_000
"""Default tokens of an image. The largest known: 12 megapixels in patches of 32, 14,300."""


class Unit(StrEnum):
    """Unit of a price."""

    CALL = auto()
    IMAGE = auto()
    SECOND = auto()
    INPUT_SECOND = auto()
    """Second of the sounds and videos that a call sends."""
    INPUT_TOKEN = auto()
    OUTPUT_TOKEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Price of a unit, and the most units that one call can consume."""

    unit: Unit
    usd: Decimal
    field: str | None = None
    """Field with the number of units of a call."""
    at_most: int = 1
    """Most units of a call; for input tokens, the bound while the input is unknown."""
    per_image: int = IMAGE_TOKENS
    """Most tokens of one image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Actual or possible usage of calls. Raises ValueError for negative amounts."""

    calls: int = 0
    images: int = 0
    seconds: Decimal = Decimal(0)
    """Seconds of output."""
    input_seconds: Decimal = Decimal(0)
    """Seconds of sounds and videos that were sent."""
    input_tokens: int = 0
    output_tokens: int = 0

    def __post_init__(self) -> None:
        is_finite = self.seconds.is_finite() and self.input_seconds.is_finite()
        if not is_finite or min(_counts(self)) < 0:
            raise ValueError(f"{self} is less than nothing")

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            images=self.images + other.images,
            seconds=self.seconds + other.seconds,
            input_seconds=self.input_seconds + other.input_seconds,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )

    def __mul__(self, times: int) -> "Usage":
        return Usage(
            calls=self.calls * times,
            images=self.images * times,
            seconds=self.seconds * times,
            input_seconds=self.input_seconds * times,
            input_tokens=self.input_tokens * times,
            output_tokens=self.output_tokens * times,
        )

    def within(self, most: "Usage") -> "Usage":
        """Return the usage limited to `most` in each unit."""
        return Usage(
            calls=min(self.calls, most.calls),
            images=min(self.images, most.images),
            seconds=min(self.seconds, most.seconds),
            input_seconds=min(self.input_seconds, most.input_seconds),
            input_tokens=min(self.input_tokens, most.input_tokens),
            output_tokens=min(self.output_tokens, most.output_tokens),
        )


def cost_micro_usd(pricing: Sequence[Price], usage: Usage) -> int:
    """Return the provider's price of a usage in millionths of a USD, rounded up."""
    counts = dict(zip(Unit, _counts(usage), strict=True))
    # Fractions, because a Decimal rounds intermediate results to its context's precision.
    exact = sum(Fraction(price.usd) * Fraction(counts[price.unit]) for price in pricing)
    return math.ceil(exact * MICRO)


def credits_for(micro_usd: int, markup: Decimal) -> int:
    """Return the credits for a provider's price, rounded up."""
    return math.ceil(Fraction(markup) * micro_usd / MICRO_USD_PER_CREDIT)


def _counts(usage: Usage) -> tuple[int | Decimal, ...]:
    """Return the amounts in the order of `Unit`."""
    return (
        usage.calls,
        usage.images,
        usage.seconds,
        usage.input_seconds,
        usage.input_tokens,
        usage.output_tokens,
    )


NO_USAGE = Usage()
