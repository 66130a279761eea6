"""The lead among the workers: work that one of them at a time does, by a lease in Redis."""

from engine.executions.retry import jittered
from engine.store.dispatch.worker_leases import Leadership, Leases

LAPSE_SECONDS = 0.01
"""Delay after the end of another worker's lead before a follower requests it."""


class Leader:
    """Takes and renews one lead. A follower requests it when it is about to lapse, not before."""

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
        self.is_leading = False
        self.pause = 0.0
        """Seconds until the next request."""

    async def request(self) -> Leadership:
        """Take or renew the lead, or learn when another worker's ends. Raises Unavailable."""
        lead = await self._leases.take_lead(self._worker_id, self._lead_ms, key=self._key)
        self.is_leading = lead.is_own
        left_seconds = lead.left_ms / 1000 + LAPSE_SECONDS
        self.pause = self._renew_seconds if lead.is_own else left_seconds
        return lead

    def lose(self) -> None:
        """Lead no more, as far as this worker knows, and request the lead soon."""
        self.is_leading = False
        self.pause = jittered(self._renew_seconds)
