"""Check of `headrace doctor` that workers take hints."""

import asyncio
import time

from deploy.admin.checks import Check
from engine.errors import EngineError
from engine.store import Store
from engine.store.dispatch.stalled_queues import StalledQueues

POLL_SECONDS = 0.1


async def check_hints(store: Store) -> Check:
    """Check that workers take waiting hints, watching until all queues have moved."""
    try:
        stalled = await _find_stalled(store)
    except (EngineError, RuntimeError) as error:
        return _check(seen=f"the queues cannot be read: {error}", is_well=False)
    if stalled:
        return _check(seen=f"wait in {', '.join(stalled)}, and no worker takes them", is_well=False)
    return _check(seen="none waits that no worker takes", is_well=True)


async def _find_stalled(store: Store) -> list[str]:
    queues, moved = StalledQueues(), set[str]()
    first = await store.hints.heads()
    while True:
        heads, now = await store.hints.heads(), time.monotonic()
        queues.observe(heads, now)
        moved.update(queue for queue, head in heads.items() if head != first[queue])
        left = [queue for queue in queues.waiting() if queue not in moved]
        if not left or set(left) == set(queues.stalled(now)):
            return left
        await asyncio.sleep(POLL_SECONDS)


def _check(*, seen: str, is_well: bool) -> Check:
    return Check(
        name="hints",
        is_well=is_well,
        seen=seen,
        fix="Start a worker, or restart those that run and look at their logs. Where all slots of "
        "all workers are taken, start more workers or raise HEADRACE_WORKER_SLOTS.",
    )
