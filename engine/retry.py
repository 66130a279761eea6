"""When a failed attempt is tried again: a pure function of the policy and the attempt."""

MAX_BACKOFF_SECONDS = 60.0


def delay_seconds(
    *, attempt: int, attempts: int, backoff: float, retry_after: float = 0.0
) -> float | None:
    """The pause before the next attempt, or None when `attempt` (from 1) was the last.

    `backoff` seconds before the second, doubled for each further one, at most 60; longer when
    whoever refused asks for it.
    """
    if attempt >= attempts:
        return None
    return max(min(backoff * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS), retry_after)
