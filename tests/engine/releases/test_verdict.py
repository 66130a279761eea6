import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.releases.aliases import Canary
from engine.releases.run_counts import RunCounts
from engine.releases.verdict import RollBackCause, is_fault, judge_canary

SLOW = 500
"""Bucket of a duration of about 20 seconds."""


def canary(**rule: float | int | None) -> Canary:
    return Canary(id="c", version=3, percent=5, min_runs=10, **rule)  # type: ignore[arg-type]


def test_it_goes_on_until_enough_runs_have_ended() -> None:
    strict = canary(max_error_rate=0, max_p95_ms=1)

    assert judge_canary(strict, RunCounts({SLOW: 9}, 9)) is None
    assert judge_canary(strict, RunCounts({SLOW: 10}, 9)) is not None


def test_a_canary_without_a_rule_is_never_taken_back() -> None:
    assert judge_canary(canary(), RunCounts({SLOW: 1_000}, 1_000)) is None


@pytest.mark.parametrize(("failed", "is_back"), [(2, False), (3, True)])
def test_it_is_taken_back_when_more_than_the_allowed_share_failed(
    failed: int, is_back: bool
) -> None:
    verdict = judge_canary(canary(max_error_rate=0.2), RunCounts({0: 10}, failed))

    assert (verdict is not None) is is_back
    if verdict is not None:
        assert verdict.cause is RollBackCause.ERRORS
        assert verdict.reason == ("3 of 10 runs of version 3 failed (30 %), and at most 20 % may")


@pytest.mark.parametrize(("slow", "is_back"), [(5, False), (6, True)])
def test_it_is_taken_back_when_the_p95_is_above_the_bound(slow: int, is_back: bool) -> None:
    verdict = judge_canary(canary(max_p95_ms=5_000), RunCounts({0: 100 - slow, SLOW: slow}))

    assert (verdict is not None) is is_back
    if verdict is not None:
        assert verdict.cause is RollBackCause.DURATION
        assert verdict.reason == (
            "The p95 of 100 runs of version 3 was 19,957 ms, and at most 5,000 ms are allowed"
        )


@given(ms=st.integers(1, 10**9))
def test_runs_that_last_exactly_as_long_as_allowed_take_nothing_back(ms: int) -> None:
    from tests.engine.releases.test_run_counts import counts_of

    assert judge_canary(canary(max_p95_ms=ms), counts_of([ms] * 20)) is None


def test_only_failures_of_the_version_count_against_it() -> None:
    assert is_fault({"code": "EXECUTION_FAILED"})
    assert is_fault({"code": "INTERNAL_ERROR"})
    assert not is_fault({"code": "INSUFFICIENT_CREDITS"})
    assert not is_fault(None)
