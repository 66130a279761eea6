from dataclasses import dataclass

from headrace_client.core.pacing import FIRST_CALLS, FIRST_SECONDS, Pace


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def headers(remaining: int, *, limit: int = 20, reset: int = 60, date: int = 30) -> dict[str, str]:
    """The server's clock is 30 s into a window when ours is 1,000."""
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
        "date": f"Thu, 01 Jan 1970 00:{date // 60:02}:{date % 60:02} GMT",
    }


def take_all(pace: Pace) -> int:
    """Take places until there is none."""
    taken = 0
    while pace.take() == 0.0 and taken < 1_000:
        taken += 1
    return taken


def test_few_calls_go_before_the_limit_is_known() -> None:
    clock = Clock()
    pace = Pace(clock)

    assert take_all(pace) == FIRST_CALLS
    clock.now += FIRST_SECONDS
    assert take_all(pace) == FIRST_CALLS


def test_calls_that_wait_for_a_first_answer_look_for_it_less_often_after_a_second() -> None:
    clock = Clock()
    pace = Pace(clock)
    take_all(pace)
    first = pace.take()
    clock.now += 1.1
    take_all(pace)

    assert 0 < first < pace.take()


def test_all_that_is_left_goes_then_the_window_is_waited_for() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.take() == 0.0
    pace.learn(headers(remaining=19), is_answer=True)

    assert take_all(pace) == 19
    assert pace.take() == 30.0
    clock.now += 30
    assert take_all(pace) == 20


def test_calls_of_others_count() -> None:
    pace = Pace(Clock())
    pace.take()
    pace.learn(headers(remaining=5), is_answer=True)

    assert take_all(pace) == 5


def test_a_late_answer_of_a_window_that_is_over_changes_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.take()
    pace.learn(headers(remaining=19), is_answer=True)
    clock.now += 31
    pace.take()
    pace.learn(headers(remaining=0, date=61), is_answer=True)

    assert take_all(pace) == 19


def test_answers_without_a_limit_end_the_pace() -> None:
    pace = Pace(Clock())
    pace.take()
    pace.learn({}, is_answer=True)

    assert take_all(pace) == 1_000


def test_errors_without_headers_say_nothing() -> None:
    pace = Pace(Clock())
    pace.learn({}, is_answer=False)

    assert take_all(pace) == FIRST_CALLS


def test_the_end_of_a_window_is_never_expected_too_early() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.take()
    clock.now += 0.9  # the server is at 30.9 and says 30
    pace.learn(headers(remaining=0), is_answer=True)

    assert round(pace.take(), 3) == 30.0


def test_of_several_answers_the_one_closest_to_its_second_counts() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.take()
    pace.learn(headers(remaining=19), is_answer=True)
    clock.now += 0.9
    pace.learn(headers(remaining=0), is_answer=True)

    assert round(pace.take(), 3) == 29.1


def test_a_length_of_windows_is_read_from_the_policy() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.take()
    found = headers(remaining=0, reset=35) | {"ratelimit-policy": '"default";q=20;w=5'}
    pace.learn(found, is_answer=True)

    assert pace.take() == 5.0
    clock.now += 7
    assert take_all(pace) == 20
    assert pace.take() == 3.0
