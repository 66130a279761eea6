"""Wait for something to become true without sleeping blindly."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""Bound of a wait that only a fault makes long: a busy machine must not reach it."""


async def eventually(
    read: Callable[[], Awaitable[T]],
    until: Callable[[T], bool] = bool,
    *,
    timeout: float = PATIENCE_SECONDS,
    pause: float = 0.01,
) -> T:
    """Read repeatedly until the value satisfies `until`; return it, or fail."""
    deadline = time.monotonic() + timeout
    while True:
        value = await read()
        if until(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached in {timeout} s, last seen: {value!r}")
        await anyio.sleep(pause)
