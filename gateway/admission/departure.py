"""Departure of a process: it answers as before while its peers turn to others, and then stops.

A proxy learns of it by `/readyz`, or by the closed connection after each answer. Until then it
sends requests, and one that was sent over a connection that is just being closed is lost: proxies
repeat connections, not requests.
"""

import asyncio
import time
from collections.abc import Callable

from engine.settings import Settings

MOST_SECONDS = 5.0
"""Longest time from the first signal to the stop, under requests that never cease."""
QUIET_SECONDS = 1.0
"""Time without a request after which peers are taken to have gone."""
LOOK_SECONDS = 0.05
PROBES = frozenset({b"/readyz", b"/healthz", b"/metrics", b"/metrics/process"})
"""Targets whose requests tell nothing about peers that send work."""


class Departure:
    """Departure and stop of a process that answers requests."""

    def __init__(
        self, stopping: asyncio.Event | None = None, most_seconds: float = MOST_SECONDS
    ) -> None:
        self._most_seconds = most_seconds
        self.stopping = stopping or asyncio.Event()
        """Set when waits and streams are to end, and nothing new is taken."""
        self._begun = asyncio.Event()
        self._requested_at = 0.0

    @classmethod
    def of(cls, settings: Settings, stopping: asyncio.Event | None) -> "Departure":
        """Return that of a gateway, which leaves most of its time to stop to callers who wait."""
        return cls(stopping, min(MOST_SECONDS, settings.drain_seconds / 4))

    @property
    def is_begun(self) -> bool:
        """Whether the process is about to stop, or stops."""
        return self._begun.is_set() or self.stopping.is_set()

    def begin(self) -> None:
        """Begin; called again, stop at once."""
        if self._begun.is_set():
            self.stopping.set()
        self._requested_at = time.monotonic()
        self._begun.set()

    async def wait_begun(self) -> None:
        """Wait for the beginning."""
        await self._begun.wait()

    def note_request(self, target: bytes) -> None:
        """Note that a peer still sends requests here."""
        if target not in PROBES:
            self._requested_at = time.monotonic()

    async def wait_quiet(self, has_connections: Callable[[], object]) -> None:
        """Wait until no request has come for a while, or no connection is open that brings one."""
        until = time.monotonic() + self._most_seconds
        while has_connections() and time.monotonic() < until:
            if time.monotonic() - self._requested_at >= QUIET_SECONDS:
                return
            await asyncio.sleep(LOOK_SECONDS)
