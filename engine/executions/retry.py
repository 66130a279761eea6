"""Delay before the next attempt, with jitter that spreads attempts that failed together."""

import random

MAX_BACKOFF_SECONDS = 60.0
JITTER = 0.2
"""Largest share by which jitter shortens a backoff."""
RETRY_AFTER_JITTER = 0.1
"""Largest share by which jitter lengthens a requested delay."""

_random = random.SystemRandom()


def delay_seconds(
    *, attempt: int, attempts: int, backoff: float, retry_after: float = 0.0, jitter: float
) -> float | None:
    """Return the seconds before the next attempt, or None if `attempt` (from 1) was the last.

    The delay is `backoff` before the second attempt and doubles for each further one, up to 60
    seconds; it is never shorter than `retry_after`, which the server requested. `jitter`, from 0
    to 1, shortens a backoff by up to a fifth and lengthens `retry_after` by up to a tenth.
    """
    if attempt >= attempts:
        return None
    pause = min(backoff * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)
    return max(pause * (1 - JITTER * jitter), retry_after * (1 + RETRY_AFTER_JITTER * jitter))


def draw_jitter() -> float:
    """Return a random number from 0 to 1."""
    return _random.random()


def jittered(seconds: float) -> float:
    """Return a random share of a delay, from a half to all of it, for retries of a process."""
    return seconds * (1 - 0.5 * draw_jitter())
