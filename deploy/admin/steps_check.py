"""Check of `headrace doctor` that executions go on when their time has come."""

from deploy.admin.checks import Check
from engine.errors import EngineError
from engine.store import Store

MOST_LAG_MS = 30_000
"""Longest time for which a scheduled step may have waited for a worker."""


async def check_steps(store: Store) -> Check:
    """Check that no delay, end of an approval or retry has waited long after its time."""
    try:
        now = await store.leases.now()
        first = await store.leases.oldest_due()
    except (EngineError, RuntimeError) as error:
        return _check(seen=f"scheduled steps cannot be read: {error}", is_well=False)
    lag_ms = 0 if first is None else now - first
    if lag_ms <= MOST_LAG_MS:
        return _check(seen="no step waits after its time", is_well=True)
    seen = f"the oldest step has waited for {lag_ms // 1000} seconds after its time"
    return _check(seen=seen, is_well=False)


def _check(*, seen: str, is_well: bool) -> Check:
    return Check(
        name="steps",
        is_well=is_well,
        seen=seen,
        fix="Start a worker, or restart those that run and look at their logs. Until then delays "
        "do not end, approvals that nobody answers stay open, and retries wait.",
    )
