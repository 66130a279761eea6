"""Sketches of durations: counts by bin of DDSketch, which merge exactly.

A sketch is a map from bin to count. Quantiles are within one percent of the true ones.
"""

from collections import Counter
from collections.abc import Mapping

from ddsketch import LogarithmicMapping

from engine.store.redis.record_packing import pack, unpack

ACCURACY = 0.01
MAPPING = LogarithmicMapping(ACCURACY)
BELOW = -1
"""Bin of durations below a millisecond; those of longer ones are 0 and above."""

Sketch = Mapping[int, int]


def bin_of(duration_ms: int) -> int:
    """Return the bin of a duration in milliseconds."""
    return int(MAPPING.key(duration_ms)) if duration_ms >= 1 else BELOW


def pack_sketch(sketch: Sketch) -> bytes:
    """Return a sketch as it is stored."""
    return pack(dict(sketch))


def unpack_sketch(data: bytes) -> Counter[int]:
    """Return a stored sketch."""
    return Counter(unpack(data))


def quantile(sketch: Sketch, fraction: float) -> int | None:
    """Return the duration in milliseconds below which this fraction lies; None of no durations."""
    total = sum(sketch.values())
    rank = fraction * (total - 1)
    seen = 0
    for each in sorted(sketch):
        seen += sketch[each]
        if seen > rank:
            return 0 if each == BELOW else round(MAPPING.value(each))
    return None
