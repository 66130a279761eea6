"""Trial of a primary that its replicas and sentinels no longer reach, and clients still do."""

import asyncio
import time
from pathlib import Path

from tests.support.failover.trial import Outcome, scene_on
from tests.support.redis.fronts import DelayProxy
from tests.support.redis.sentinel import running_group

ISOLATED_SECONDS = 8.0


async def isolate(folder: Path, *, min_replicas: int) -> Outcome:
    """Isolate the primary for a time; the outcome's kill is the moment when that begins."""
    running = running_group(min_replicas=min_replicas, fronts=DelayProxy)
    group = await asyncio.to_thread(running.__enter__)
    try:
        async with scene_on(group, folder) as scene:
            old, began = group.primary(), time.monotonic()
            scene.outcome.kills.append(began)
            group.front(old).isolate()
            await asyncio.to_thread(group.await_failover, old)
            await asyncio.sleep(began + ISOLATED_SECONDS - time.monotonic())
            group.front(old).mend()
            await asyncio.to_thread(group.await_replicas)
            await scene.await_service(time.monotonic(), 0)
        return scene.outcome
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
