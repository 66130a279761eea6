"""Sweepers with all duties, as a worker without a history runs them."""

from collections.abc import Callable

from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.settings import Settings
from engine.store import Store
from workers.feeding.batch_feeder import BatchFeeder
from workers.recovery.clock import RecoveryClock
from workers.recovery.sweeper import Sweeper, sweeper_duties

LEASE_SECONDS = 3.0


def make_feeder(store: Store, settings: Settings) -> BatchFeeder:
    """Return the feeder of batches of a worker."""
    media_service = MediaService.from_settings(settings, store)
    return BatchFeeder(store, Acceptance(store=store, media_service=media_service, allow_http=True))


def make_sweeper(
    store: Store,
    settings: Settings,
    worker_id: str = "me",
    last_silence: Callable[[], float] | None = None,
) -> Sweeper:
    """Return the sweeper of a worker; `last_silence` is that of its heartbeat."""
    clock = RecoveryClock(LEASE_SECONDS)
    duties = sweeper_duties(
        store,
        worker_id,
        clock,
        retention_days=1,
        media_service=MediaService.from_settings(settings, store),
        feeder=make_feeder(store, settings),
        has_history=False,
    )
    return Sweeper(store, worker_id, clock, duties, last_silence)
