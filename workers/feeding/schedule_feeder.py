"""Feeder of schedules: gives their due times occurrences, and starts runs."""

from engine.services.triggers.scheduled_runs import ScheduledRuns
from workers.feeding.feeder import Feeder


class ScheduleFeeder(Feeder):
    """Begins the due times of schedules."""

    noun = "schedule"
    feeds_at_once = 32  # each mostly waits for Redis, and a thousand may be due in one minute
    feeds_of_account = 8

    def __init__(self, runs: ScheduledRuns) -> None:
        super().__init__()
        self._runs = runs

    def feed_soon(self, account_id: str, name: str) -> None:
        """See `Feeder.feed_soon`. A feed under way goes on until nothing is due: it is no other."""
        if not self.is_feeding(account_id, name):
            super().feed_soon(account_id, name)

    async def _feed_once(self, account_id: str, name: str, token: str) -> bool:
        return await self._runs.begin_due(account_id, name)
