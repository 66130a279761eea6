"""Samples of the installation's last hour, of which its page and `headrace top` are made."""

from engine.services.installation_series.series import take_sample
from engine.store import Store
from engine.store.metrics.last_hour import SAMPLE_SECONDS
from workers.recovery.duty import Duty


class LastHourSamples(Duty):
    """Puts a sample of the whole installation every ten seconds."""

    name = "sample"

    def __init__(self, store: Store) -> None:
        self._store = store
        self.interval_seconds = float(SAMPLE_SECONDS)

    async def run(self) -> bool:
        """Put the sample of the current ten seconds. Raises Unavailable."""
        self.interval_seconds = await take_sample(self._store)
        return False
