"""Clock of this machine beside Redis's, by which everything is reckoned."""

import asyncio
import contextlib
import logging
import math
import time

from engine.errors import EngineError
from engine.store import Store

CHECK_SECONDS = 10.0
MAX_OFFSET_SECONDS = 2.0
"""Offset that is told, in the log and by the doctor."""
FIX = "Let this machine and that of Redis follow the same time service"

log = logging.getLogger(__name__)


async def watch(store: Store) -> None:
    """Tell once when this machine's clock is off, and once when it is right again."""
    was_off = False
    while True:
        with contextlib.suppress(EngineError):
            seconds = await read_offset(store)
            is_off = abs(seconds) > MAX_OFFSET_SECONDS
            if is_off and not was_off:
                extra = {"seconds": round(seconds, 3), "fix": FIX}
                log.warning("this machine's clock differs from Redis's", extra=extra)
            elif was_off and not is_off:
                log.info("this machine's clock agrees with Redis's again")
            was_off = is_off
        await asyncio.sleep(CHECK_SECONDS)


async def read_offset(store: Store) -> float:
    """Return the seconds by which this machine's clock is ahead of Redis's, at the least.

    The answer may have been on its way for any part of the time that the reading took, as when this
    process stood still. Raises Unavailable.
    """
    began, before = time.monotonic(), time.time()
    now = await store.leases.now()
    half = (time.monotonic() - began) / 2
    offset = before + half - now / 1_000
    return math.copysign(max(0.0, abs(offset) - half), offset)
