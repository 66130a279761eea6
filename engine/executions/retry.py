"""When a failed attempt is tried again; with jitter, so that what failed together parts."""

import random

MAX_BACKOFF_SECONDS = 60.0
JITTER = 0.2
"""So much of a node's pause may be left out."""
LATER = 0.1
"""So much of the time that whoever refused asks for may be added to it."""

_random = random.SystemRandom()


def delay_seconds(
    *, attempt: int, attempts: int, backoff: float, retry_after: float = 0.0, jitter: float
) -> float | None:
    """The pause before the next attempt, or None when `attempt` (from 1) was the last.

    `backoff` seconds before the second, doubled for each further one, at most 60; longer when
    whoever refused asks for it. `jitter` from 0 to 1 is drawn by the caller: it makes the pause
    shorter, and never that which was asked for.
    """
    if attempt >= attempts:
        return None
    pause = min(backoff * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)
    return max(pause * (1 - JITTER * jitter), retry_after * (1 + LATER * jitter))


def draw_jitter() -> float:
    """A number from 0 to 1."""
    return _random.random()


def jittered(seconds: float) -> float:
    """Between half of a pause and the whole of it: for processes that try again by themselves."""
    return seconds * (1 - 0.5 * draw_jitter())
