import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.executions.retry import MAX_BACKOFF_SECONDS, delay_seconds, draw_jitter, jittered

PAUSES = (1.5, 3, 6, 12, 24, 48, 60, 60, 60)


def test_the_pause_doubles_up_to_a_minute() -> None:
    pauses = [delay_seconds(attempt=n, attempts=10, backoff=1.5, jitter=0) for n in range(1, 11)]

    assert pauses == [*PAUSES, None]


def test_jitter_makes_a_pause_shorter_by_a_fifth_at_most() -> None:
    pauses = [delay_seconds(attempt=n, attempts=10, backoff=1.5, jitter=1) for n in range(1, 10)]

    assert pauses == pytest.approx([0.8 * pause for pause in PAUSES])


@pytest.mark.parametrize("attempt", [1, 2, 50])
def test_one_attempt_means_no_retry(attempt: int) -> None:
    assert delay_seconds(attempt=attempt, attempts=1, backoff=1, jitter=0.5) is None


@pytest.mark.parametrize("jitter", [0, 1])
def test_no_backoff_is_a_retry_at_once(jitter: float) -> None:
    assert delay_seconds(attempt=1, attempts=2, backoff=0, jitter=jitter) == 0


@pytest.mark.parametrize(("asked", "pause"), [(0.5, 1), (1, 1), (90, 90)])
def test_whoever_refused_can_only_put_the_next_attempt_off(asked: float, pause: float) -> None:
    found = delay_seconds(attempt=1, attempts=2, backoff=1, retry_after=asked, jitter=0)

    assert found == pause


@given(st.floats(0, 600), st.floats(0, 1))
def test_nobody_comes_before_the_time_that_was_asked_for_nor_much_later(
    asked: float, jitter: float
) -> None:
    pause = delay_seconds(attempt=1, attempts=2, backoff=0, retry_after=asked, jitter=jitter)

    assert pause is not None
    assert asked <= pause <= 1.1 * asked


@given(st.integers(0, 12), st.integers(1, 10), st.floats(0, 60), st.floats(0, 1))
def test_there_are_exactly_as_many_attempts_as_allowed_and_no_pause_is_longer_than_it_says(
    attempt: int, attempts: int, backoff: float, jitter: float
) -> None:
    def pause(jitter: float) -> float | None:
        return delay_seconds(attempt=attempt, attempts=attempts, backoff=backoff, jitter=jitter)

    longest, found = pause(0), pause(jitter)

    assert (found is None) is (attempt >= attempts)
    assert (
        found is None or longest is None or 0.8 * longest <= found <= longest <= MAX_BACKOFF_SECONDS
    )


def test_what_failed_together_does_not_come_together() -> None:
    nodes = {
        delay_seconds(attempt=1, attempts=2, backoff=10, jitter=draw_jitter()) for _ in range(50)
    }
    processes = {jittered(10) for _ in range(50)}

    assert len(nodes) > 40
    assert len(processes) > 40
    assert all(5 <= seconds <= 10 for seconds in processes)
