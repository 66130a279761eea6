"""Sweepers with all duties, as a worker without a history runs them."""

from collections.abc import Callable

from engine.services.media import MediaService
from engine.settings import Settings
from engine.store import Store
from workers.feeding.feeders import make_feeders
from workers.recovery.clock import RecoveryClock
from workers.recovery.sweeper import Sweeper, sweeper_duties

LEASE_SECONDS = 3.0


def make_sweeper(
    store: Store,
    settings: Settings,
    worker_id: str = "me",
    last_silence: Callable[[], float] | None = None,
) -> Sweeper:
    """Return the sweeper of a worker; `last_silence` is that of its heartbeat."""
    clock = RecoveryClock(LEASE_SECONDS)
    media_service = MediaService.from_settings(settings, store)
    duties = sweeper_duties(
        store,
        worker_id,
        clock,
        retention_days=1,
        media_service=media_service,
        feeders=make_feeders(store, settings, media_service),
        has_history=False,
    )
    return Sweeper(store, worker_id, clock, duties, last_silence)
