"""Work that takes long, done in short slices between which the event loop serves others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

from engine.process.account_semaphore import AccountSemaphore

SLICE_SECONDS = 0.002
"""Time after which a slice ends with its step."""

RunStep = Callable[[int, Callable[[], int | None]], Awaitable[int | None]]
"""Does a step of this size in bytes, on the event loop if it is small, and returns its result."""


class SlicedWork:
    """Slices of all accounts: one at a time in the process, and accounts take turns."""

    def __init__(self) -> None:
        self._slots = AccountSemaphore(1, share=1)

    async def run(self, account_id: str, run_step: RunStep, steps: Iterator[int]) -> None:
        """Do all steps; the iterator yields the size in bytes of each step before doing it.

        Raises the errors of the steps.
        """
        size = next(steps, None)
        while size is not None:
            async with self._slots.slot(account_id):
                ends_at = time.perf_counter() + SLICE_SECONDS
                while size is not None:
                    size = await run_step(size, lambda: next(steps, None))
                    if time.perf_counter() > ends_at:
                        break
                await asyncio.sleep(0)  # others are served before anyone's next slice
