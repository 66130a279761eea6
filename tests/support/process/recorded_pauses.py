"""Recorded pauses of a module."""

import asyncio
from typing import Any


class NotedPauses:
    """The event loop's module for a module under test: pauses are recorded, not made."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)
