"""Pauses that a module would make."""

import asyncio
from typing import Any


class NotedPauses:
    """The event loop's module as a module under test sees it: pauses are noted, not made."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)
