import math
import random

import pytest

from engine.releases.run_counts import CanaryCounts, RunCounts, least_ms, most_ms

LONGEST = 62 * 86_400_000


def bucket_of(ms: int) -> int:
    """The bucket in which the script counts a duration."""
    return math.floor(math.log(ms) / math.log(1.02))


def counts_of(durations: list[int], failed: int = 0) -> RunCounts:
    buckets: dict[int, int] = {}
    for each in durations:
        buckets[bucket_of(each)] = buckets.get(bucket_of(each), 0) + 1
    return RunCounts(buckets, failed)


@pytest.mark.parametrize("ms", [1, 2, 7, 49, 50, 51, 100, 999, 1_000, 30_000, LONGEST])
def test_a_bucket_holds_the_durations_between_its_bounds(ms: int) -> None:
    bucket = bucket_of(ms)

    assert least_ms(bucket) <= ms <= most_ms(bucket)
    assert most_ms(bucket) <= 1.02 * least_ms(bucket) + 1


def test_a_quantile_is_exact_to_two_percent_and_never_too_long() -> None:
    rng = random.Random(3)
    for _ in range(50):
        durations = [round(rng.lognormvariate(6, 1.5)) + 1 for _ in range(rng.randrange(1, 400))]
        exact = sorted(durations)[math.ceil(0.95 * len(durations)) - 1]
        found = counts_of(durations).quantile_ms(0.95)
        assert found is not None
        assert exact / 1.02 - 1 <= found <= exact


def test_without_a_run_there_is_no_rate_and_no_quantile() -> None:
    assert RunCounts().summary == {
        "runs": 0,
        "failed": 0,
        "errorRate": None,
        "p50Ms": None,
        "p95Ms": None,
    }


def test_fields_are_told_apart_by_canary_and_side() -> None:
    fields = {
        "one:c:0": b"2",
        "one:c:35": b"1",
        "one:c:failed": b"1",
        "one:l:0": b"9",
        "two:over": b"77",
        "two:l:failed": b"3",
    }

    found = CanaryCounts.parse_all(fields)

    assert found == {
        "one": CanaryCounts(RunCounts({0: 2, 35: 1}, 1), RunCounts({0: 9})),
        "two": CanaryCounts(RunCounts(), RunCounts({}, 3), over_since=77),
    }
    assert found["one"].canary.durations == [(1, 2), (2, 1)]
    assert found["one"].canary.summary["errorRate"] == 0.333333
