"""Check of `headrace doctor` that workers begin due times of schedules."""

from deploy.admin.checks import Check
from engine.errors import EngineError
from engine.store import Store

MOST_LAG_MS = 30_000
"""Longest time for which a due time may have waited for a look."""


async def check_schedules(store: Store) -> Check:
    """Check that no due time of a schedule has waited for long."""
    try:
        now = await store.leases.now()
        first = await store.occurrences.due.first_due(now)
    except (EngineError, RuntimeError) as error:
        return _check(seen=f"due times cannot be read: {error}", is_well=False)
    lag_ms = 0 if first is None else now - first
    if lag_ms <= MOST_LAG_MS:
        return _check(seen="no due time waits", is_well=True)
    seconds = lag_ms // 1000
    return _check(seen=f"the oldest due time has waited for {seconds} seconds", is_well=False)


def _check(*, seen: str, is_well: bool) -> Check:
    return Check(
        name="schedules",
        is_well=is_well,
        seen=seen,
        fix="Start a worker, or restart those that run and look at their logs. Each schedule's "
        "`missed` then decides which of its due times are started.",
    )
