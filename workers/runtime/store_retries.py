"""Retries of calls of the store until it answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.errors import Unavailable
from engine.executions.retry import jittered

PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)

T = TypeVar("T")

log = logging.getLogger(__name__)


async def retry_until_answered(call: Callable[[], Awaitable[T]], verb: str) -> T:
    """Call the store, again after a pause while it is unavailable; returns its first answer.

    For idempotent calls that a walk cannot go on without. `verb` names the call in the log.
    """
    tries = 0
    while True:
        try:
            return await call()
        except Unavailable as error:
            if tries == 0:
                log.warning("asking again", extra={"call": verb, "reason": error.message})
            await asyncio.sleep(jittered(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]))
            tries += 1
