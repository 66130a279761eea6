"""Limits of the attempts at one host, over all workers, and the queue that enforces them."""

import hashlib
import math
from dataclasses import dataclass

from engine.models.limits import ModelLimits
from engine.net.url_policy import UrlRefused, check_url
from engine.store.limits.governor import Pacing
from workers.providers.limiter.call_limiter import LimiterKey

TRUST_SECONDS = 3_600.0
"""For this time after a 2xx a host's rate is not limited."""
BURST_MS = 20
"""With the governor's margin of 2 %, no second has more calls than are allowed."""
LABEL = "webhooks"
"""Name of all hosts together in metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """Limits of the attempts at one host, over all workers; 0: none."""

    concurrency: int
    per_second: int

    def limiter_key(self, host: str) -> LimiterKey:
        """Return the key of the queue in which attempts at a host wait for their turn."""
        return LimiterKey(
            provider=f"webhooks:{hashlib.sha256(host.encode()).hexdigest()[:16]}",
            label=LABEL,
            limits=ModelLimits(
                requests_per_minute=60 * self.per_second or None,
                concurrency=self.concurrency or None,
            ),
            patience=math.inf,
            pacing=Pacing(burst_ms=BURST_MS, trust_ms=round(TRUST_SECONDS * 1000)),
        )


def host_of(url: str) -> str:
    """Return the host whose load is limited: without its port, since a machine has many."""
    try:
        return check_url(url, allow_private=True).host.rstrip(".")
    except UrlRefused:
        return ""  # it is not called
