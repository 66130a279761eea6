"""The archiver's loop: ended executions go to the history, and leave Redis afterwards."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence

from engine.errors import EngineError
from engine.history.archiving.batch_archive import BatchArchive
from engine.history.archiving.entry_archive import EntryArchive
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.archiving.occurrence_archive import OccurrenceArchive
from engine.history.database.connections import Database
from engine.history.errors import HistoryUnavailable
from engine.history.migrations.revisions import check_database
from engine.history.retention.retention import Retention
from engine.store import Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.archive.state import ANOTHER_DATABASE, ArchiverStates
from engine.store.executions.unarchived import MOST_READ
from engine.telemetry import metrics
from engine.telemetry.traces.tracing import active
from workers.history.archive_spans import send_spans
from workers.history.duties import (
    EndedEntries,
    Forgetting,
    MissedExecutions,
    OldRows,
    SignOfLife,
)
from workers.history.load import OtherLoad
from workers.recovery.duty import ScheduledDuty

BATCH = 500
LARGE_BATCH = 2_000
"""Batch while more wait: figures of many accounts are then written once for several executions."""
COLLECT_SECONDS = 0.25
"""Pause in which executions for the next batch end."""
BUSY_SHARE = 0.7
"""Share of the machine's processors from which on others count as busy."""
BUSY_PAUSES = 9
"""Pause after a step while others are busy, as a multiple of the step's time."""
LONGEST_PAUSE_SECONDS = 5.0
PRESSING_COUNT = MOST_READ
"""Executions that wait for the history from which on it pauses for nobody."""
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)

log = logging.getLogger(__name__)


class Archiver:
    """Does its duties in turn, until cancelled; a failure of a database or of Redis delays all.

    Executions come first. While others need the processors, it pauses after each step: Redis keeps
    ended executions for their hot time anyway. The closer that time, the shorter the pauses.
    """

    def __init__(
        self, store: Store, database: Database, retention: Retention, *, keep_ms: int
    ) -> None:
        self._store = store
        self._database = database
        self._keep_ms = keep_ms
        self._executions = ExecutionArchive(store, database)
        self._entries = EntryArchive(store, database)
        self._batches = BatchArchive(store, database)
        self._occurrences = OccurrenceArchive(store, database)
        self._states = ArchiverStates(store.client)
        self._load = OtherLoad()
        self._size = BATCH
        self._failures = 0
        self._is_checked = False
        self._ended_entries = EndedEntries(self._entries, self._batches, self._occurrences)
        self._forgetting = Forgetting(
            *(store, self._executions, self._entries, self._batches),
            *(self._occurrences, keep_ms),
        )
        duties = (
            self._ended_entries,
            SignOfLife(self._write_state),
            MissedExecutions(store, self._executions),
            self._forgetting,
            OldRows(retention, self._forgetting),
        )
        self._duties = tuple(map(ScheduledDuty, duties))

    async def run(self) -> None:
        """Archive until cancelled."""
        while True:
            try:
                pause = await self.step()
                self._failures = 0
            except EngineError as error:
                reason = error.reason if isinstance(error, HistoryUnavailable) else error.message
                pause = await self._fail(reason)
            except Exception as error:
                log.exception("the archiver failed unexpectedly")
                pause = await self._fail(f"the archiver failed ({type(error).__name__})")
            await asyncio.sleep(pause)

    async def step(self) -> float:
        """Archive a batch and do the duties that are due; return the seconds until the next step.

        Raises Unavailable or HistoryUnavailable.
        """
        if not self._is_checked:
            await self._check_database()
        began, began_at = time.monotonic(), time.time_ns()
        records = await self._executions.archive(self._size)
        if records and (tracing := active()) is not None:
            send_spans(tracing, records, began_at)
        count = len(records or ())
        metrics.HISTORY_ARCHIVED.labels("executions").inc(count)
        self._ended_entries.add_accounts(each.account_id for each in records or ())
        is_full = count >= BATCH
        self._size = LARGE_BATCH if is_full else BATCH
        for duty in self._duties:
            if duty.is_due():
                await duty.run()
        spent = time.monotonic() - began
        if self._load.share() > BUSY_SHARE:
            patience = 1 - await self._urgency(records or ())
            longest = max(COLLECT_SECONDS, min(LONGEST_PAUSE_SECONDS, BUSY_PAUSES * spent))
            return patience * longest
        return 0.0 if is_full else COLLECT_SECONDS

    async def _urgency(self, records: Sequence[EndedRecord]) -> float:
        """Return from 0 to 1 how urgent the work is, after these records were archived."""
        if not self._forgetting.is_complete:
            return 1.0
        if not records:
            return 0.0
        backlog = await self._executions.backlog()
        oldest_at = min(int(each.fields["completed"]) for each in records)
        age_ms = await self._store.leases.now() - oldest_at
        of_hot_time = 2 * age_ms / max(self._keep_ms, 1) - 1
        return max(0.0, min(1.0, max(backlog / PRESSING_COUNT, of_hot_time)))

    async def _check_database(self) -> None:
        """Raise HistoryUnavailable unless this is the installation's database, with its tables."""
        own_id = await asyncio.to_thread(check_database, self._database)
        expected = await self._states.claim_database(own_id)
        if expected != own_id:
            raise HistoryUnavailable(ANOTHER_DATABASE)
        self._database.expect(expected)
        self._is_checked = True

    async def _write_state(self, error: str = "") -> None:
        await self._states.write(
            seen_at=await self._store.leases.now(), error=error, refused=self._refused()
        )

    def _refused(self) -> Mapping[str, str]:
        others = self._batches, self._occurrences, self._entries
        parts = self._executions.refused.reasons(), *(each.refusals() for each in others)
        return {name: reason for part in parts for name, reason in part.items()}

    async def _fail(self, reason: str) -> float:
        """Log a first failure and publish the reason; return the seconds until the next step."""
        if not self._failures:
            fix = "See that HEADRACE_DATABASE_URL answers; waiting records are archived later"
            log.warning("cannot archive", extra={"reason": reason, "fix": fix})
        metrics.HISTORY_FAILED.inc()
        self._is_checked = False
        pause = BACK_OFF_SECONDS[min(self._failures, len(BACK_OFF_SECONDS) - 1)]
        self._failures += 1
        with contextlib.suppress(EngineError):  # Redis is away
            await self._write_state(reason)
        return pause
