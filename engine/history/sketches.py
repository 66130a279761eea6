"""Sketches of durations: counts by bin of DDSketch, which merge exactly.

A sketch is a map from bin to count. Quantiles are within one percent of the true ones.
"""

from collections.abc import Mapping

from ddsketch import LogarithmicMapping

from engine.store.redis.record_packing import pack, unpack

ACCURACY = 0.01
MAPPING = LogarithmicMapping(ACCURACY)
BELOW = -1
"""Bin of durations below a millisecond; those of longer ones are 0 and above."""

SHOWN_QUANTILES = (0.5, 0.95)

Sketch = Mapping[int, int]


def bin_of(duration_ms: int) -> int:
    """Return the bin of a duration in milliseconds."""
    return int(MAPPING.key(duration_ms)) if duration_ms >= 1 else BELOW


def pack_sketch(sketch: Sketch) -> bytes:
    """Return a sketch as it is stored."""
    return pack(dict(sketch))


def unpack_sketch(data: bytes) -> dict[int, int]:
    """Return a stored sketch."""
    sketch: dict[int, int] = unpack(data)
    return sketch


def quantiles(sketch: Sketch, *fractions: float) -> list[int | None]:
    """Return the quantiles of ascending fractions; None of no durations."""
    total, seen = sum(sketch.values()), 0
    ranks = [fraction * (total - 1) for fraction in fractions]
    values: list[int | None] = []
    for each in sorted(sketch):
        seen += sketch[each]
        while len(values) < len(ranks) and seen > ranks[len(values)]:
            values.append(0 if each == BELOW else round(MAPPING.value(each)))
    return values or [None] * len(fractions)
