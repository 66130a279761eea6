"""Counts of the runs of a canary and of those beside it, with a histogram of durations.

A bucket of the histogram is 2 % wide: bucket `k` has durations in milliseconds from `1.02 ** k` on,
below `1.02 ** (k + 1)`.
"""

import math
from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct

WIDTH = 1.02
"""Ratio of the bounds of a bucket; `lua/shared/releases/count_release.lua` counts by it."""
CANARY, LIVE_SIDE = "c", "l"
FAILED, OVER, TOLD = "failed", "over", "told"
"""Ends of the names of fields besides buckets: failed runs; without a side, the time at which it
was found that the canary had ended, and the facts of its roll back as JSON."""


class RunCounts(Struct, frozen=True):
    """Counts of the runs of one side."""

    buckets: Mapping[int, int] = {}
    """Runs by the bucket of their duration."""
    failed: int = 0

    @property
    def runs(self) -> int:
        """Number of runs that ended, and were not cancelled."""
        return sum(self.buckets.values())

    @property
    def error_rate(self) -> float | None:
        """Share of failed runs, None without a run."""
        return self.failed / self.runs if self.buckets else None

    def quantile_ms(self, share: float) -> int | None:
        """Return the duration that this share of runs did not exceed, None without a run.

        It is the least one of its bucket: no run is said to have lasted longer than it did.
        """
        left = math.ceil(share * self.runs)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return least_ms(bucket)
        return None

    @property
    def durations(self) -> list[tuple[int, int]]:
        """Longest duration in milliseconds and number of runs of each bucket that has some."""
        return [(most_ms(each), count) for each, count in sorted(self.buckets.items())]

    @property
    def summary(self) -> dict[str, Any]:
        """Counts in the contract's names, without the histogram."""
        rate = self.error_rate
        return {
            "runs": self.runs,
            "failed": self.failed,
            "errorRate": None if rate is None else round(rate, 6),
            "p50Ms": self.quantile_ms(0.5),
            "p95Ms": self.quantile_ms(0.95),
        }


NO_RUNS = RunCounts()


class CanaryCounts(Struct, frozen=True):
    """Counts of the runs of one canary, and of its alias beside it."""

    canary: RunCounts = NO_RUNS
    live: RunCounts = NO_RUNS
    over_since: int | None = None
    """Time in milliseconds since when the canary is known to have ended."""

    @classmethod
    def parse_all(cls, fields: Mapping[str, bytes]) -> dict[str, Self]:
        """Return the counts of all canaries of a workflow by id, of the fields of their hash."""
        buckets: dict[tuple[str, str], dict[int, int]] = {}
        failed: dict[tuple[str, str], int] = {}
        over: dict[str, int] = {}
        for name, value in fields.items():
            canary_id, *rest = name.split(":")
            match rest:
                case [word] if word == OVER:
                    over[canary_id] = int(value)
                case [_]:
                    pass  # facts of its roll back
                case [side, word] if word == FAILED:
                    failed[canary_id, side] = int(value)
                case [side, bucket]:
                    buckets.setdefault((canary_id, side), {})[int(bucket)] = int(value)
        ids = {canary_id for canary_id, _ in (*buckets, *failed)} | over.keys()

        def counts_of(canary_id: str, letter: str) -> RunCounts:
            key = canary_id, letter
            return RunCounts(buckets.get(key, {}), failed.get(key, 0))

        return {
            each: cls(counts_of(each, CANARY), counts_of(each, LIVE_SIDE), over.get(each))
            for each in sorted(ids)
        }


def least_ms(bucket: int) -> int:
    """Return the shortest whole duration of a bucket in milliseconds."""
    return math.ceil(WIDTH**bucket)


def most_ms(bucket: int) -> int:
    """Return the longest whole duration of a bucket in milliseconds."""
    return math.ceil(WIDTH ** (bucket + 1)) - 1
