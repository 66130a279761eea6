"""Release of the leases of a dead worker process, before they expire."""

import contextlib
from typing import Any

from deploy.problems import CommandFailed
from deploy.stack.store_access import open_store
from engine.errors import EngineError


async def run(*, redis_url: str, pid: int) -> dict[str, Any]:
    """Release the leases; a Redis that is away is left alone."""
    with contextlib.suppress(CommandFailed, EngineError):
        async with open_store(redis_url) as store:
            await store.leases.end_leases_of_process(pid)
    return {}
