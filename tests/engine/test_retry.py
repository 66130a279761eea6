import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.retry import MAX_BACKOFF_SECONDS, delay_seconds


def test_the_pause_doubles_up_to_a_minute() -> None:
    pauses = [delay_seconds(attempt=n, attempts=10, backoff=1.5) for n in range(1, 11)]

    assert pauses == [1.5, 3, 6, 12, 24, 48, 60, 60, 60, None]


@pytest.mark.parametrize("attempt", [1, 2, 50])
def test_one_attempt_means_no_retry(attempt: int) -> None:
    assert delay_seconds(attempt=attempt, attempts=1, backoff=1) is None


def test_no_backoff_is_a_retry_at_once() -> None:
    assert delay_seconds(attempt=1, attempts=2, backoff=0) == 0


@pytest.mark.parametrize(("asked", "pause"), [(0.5, 1), (1, 1), (90, 90)])
def test_whoever_refused_can_only_put_the_next_attempt_off(asked: float, pause: float) -> None:
    assert delay_seconds(attempt=1, attempts=2, backoff=1, retry_after=asked) == pause


@given(st.integers(0, 12), st.integers(1, 10), st.floats(0, 60))
def test_there_are_exactly_as_many_attempts_as_allowed(
    attempt: int, attempts: int, backoff: float
) -> None:
    pause = delay_seconds(attempt=attempt, attempts=attempts, backoff=backoff)

    assert (pause is None) is (attempt >= attempts)
    assert pause is None or 0 <= pause <= MAX_BACKOFF_SECONDS
