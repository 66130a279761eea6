"""The lead among the workers: work that one of them at a time does, by a lease in Redis."""

import asyncio
import time

from engine.executions.retry import draw_jitter, jittered
from engine.store.dispatch.worker_leases import Leadership, Leases

LAPSE_SECONDS = 0.01
"""Delay after the end of another worker's lead before a follower requests it."""
SPREAD_SECONDS = 0.01
"""Mean time between the requests of all followers after that end."""
MAX_SPREAD_SECONDS = 10.0
COUNT_SECONDS = 60.0
"""Time for which a number of workers counts."""


class Leader:
    """Takes and renews one lead. A follower requests it when it is about to lapse, not before.

    The more workers there are, the longer a follower waits after that, by chance: the first of all
    still comes some milliseconds after the end, and most find that the lead was renewed.
    """

    def __init__(
        self,
        leases: Leases,
        worker_id: str,
        *,
        key: str,
        lead_seconds: float,
        renew_seconds: float,
    ) -> None:
        self._leases = leases
        self._worker_id = worker_id
        self._key = key
        self._lead_ms = int(lead_seconds * 1000)
        self._renew_seconds = renew_seconds
        self._workers = 0
        self._count_at = 0.0
        """Time from which on the number of workers is read again."""
        self.is_leading = False
        self.pause = 0.0
        """Seconds until the next request."""

    async def request(self) -> Leadership:
        """Take or renew the lead, or learn when another worker's ends. Raises Unavailable."""
        lead, _ = await asyncio.gather(
            self._leases.take_lead(self._worker_id, self._lead_ms, key=self._key),
            self._count_workers(),
        )
        self.is_leading = lead.is_own
        left_seconds = lead.left_ms / 1000 + LAPSE_SECONDS
        self.pause = self._renew_seconds if lead.is_own else left_seconds + self._spread()
        return lead

    def lose(self) -> None:
        """Lead no more, as far as this worker knows, and request the lead soon."""
        self.is_leading = False
        self.pause = jittered(self._renew_seconds) + self._spread()

    async def _count_workers(self) -> None:
        now = time.monotonic()
        if now >= self._count_at:
            self._workers = await self._leases.count_workers()
            self._count_at = now + COUNT_SECONDS

    def _spread(self) -> float:
        """Return a random delay; 0 for two workers or fewer."""
        followers = max(0, self._workers - 1)
        longest = SPREAD_SECONDS * followers if followers > 1 else 0.0
        return draw_jitter() * min(MAX_SPREAD_SECONDS, longest)
