"""Duties of the archiver beside the executions themselves, one class each."""

from collections.abc import Awaitable, Callable, Iterable

from engine.history.archiving.batch_archive import BatchArchive
from engine.history.archiving.entry_archive import EntryArchive
from engine.history.archiving.execution_archive import ExecutionArchive
from engine.history.archiving.occurrence_archive import OccurrenceArchive
from engine.history.retention.retention import Retention
from engine.ids import partitions
from engine.store import Store
from engine.telemetry import metrics
from workers.recovery.duty import Duty

ENTRIES_SECONDS = 1.0
SIGN_SECONDS = 1.0
CHECK_SECONDS = 60.0
FORGET_SECONDS = 5.0
FORGET_PAGES = 4
"""Pages of a partition that one run lets Redis forget: as many executions as a step archives."""
MAX_NOTICE_SECONDS = 60.0
"""Longest time until an end in an empty partition is noticed."""
FORGET_PARTITIONS = 32
"""Partitions of one run."""
RETIRE_SECONDS = 600.0
MAX_ACCOUNTS = 10_000
"""Accounts whose ledgers wait to be archived; later passes over all accounts find others."""


class EndedEntries(Duty):
    """Archives batches, occurrences, deliveries, movements of credits and administrative acts."""

    name = "archive entries"
    interval_seconds = ENTRIES_SECONDS

    def __init__(
        self, entries: EntryArchive, batches: BatchArchive, occurrences: OccurrenceArchive
    ) -> None:
        self._entries = entries
        self._batches = batches
        self._occurrences = occurrences
        self._accounts: dict[str, None] = {}

    def add_accounts(self, account_ids: Iterable[str]) -> None:
        """Archive the ledgers of these accounts before those of others."""
        self._accounts |= dict.fromkeys(account_ids)

    async def run(self) -> bool:
        """Write a batch of each kind. Raises Unavailable or HistoryUnavailable."""
        accounts, self._accounts = list(self._accounts)[:MAX_ACCOUNTS], {}
        batches = await self._batches.archive()
        occurrences = await self._occurrences.archive()
        deliveries = await self._entries.archive_deliveries()
        movements = await self._entries.archive_ledgers(accounts)
        await self._entries.archive_next_ledgers()
        acts = await self._entries.archive_audit()
        for kind, count in (
            *(("batches", batches), ("occurrences", occurrences), ("deliveries", deliveries)),
            *(("movements", movements), ("acts", acts)),
        ):
            metrics.HISTORY_ARCHIVED.labels(kind).inc(count)
        return False


class SignOfLife(Duty):
    """Writes into Redis that the archiver works."""

    name = "sign of life"
    interval_seconds = SIGN_SECONDS

    def __init__(self, write: Callable[[], Awaitable[None]]) -> None:
        self._write = write

    async def run(self) -> bool:
        """Write it. Raises Unavailable."""
        await self._write()
        return False


class MissedExecutions(Duty):
    """Searches for executions that are neither listed for archiving nor in the history."""

    name = "check"
    interval_seconds = CHECK_SECONDS

    def __init__(self, store: Store, executions: ExecutionArchive) -> None:
        self._store = store
        self._executions = executions
        self._partition = 0

    async def run(self) -> bool:
        """Check one page of one partition. Raises Unavailable or HistoryUnavailable."""
        if await self._executions.check(self._partition, await self._store.leases.now()):
            return True
        self._partition = (self._partition + 1) % partitions.count()
        return self._partition > 0


class Forgetting(Duty):
    """Lets Redis forget archived records once their hot time is over."""

    name = "forget"
    interval_seconds = FORGET_SECONDS

    def __init__(
        self,
        store: Store,
        executions: ExecutionArchive,
        entries: EntryArchive,
        batches: BatchArchive,
        occurrences: OccurrenceArchive,
        keep_ms: int,
    ) -> None:
        self._store = store
        self._executions = executions
        self._entries = entries
        self._batches = batches
        self._occurrences = occurrences
        self._keep_ms = keep_ms
        self._rest: list[int] = []
        """Partitions that this pass has not been through."""
        self.is_complete = False
        """Whether Redis has forgotten all that it may."""

    async def run(self) -> bool:
        """Forget some pages of some partitions. Raises Unavailable or HistoryUnavailable."""
        before_ms = await self._store.leases.now() - self._keep_ms
        if not self._rest:
            period = min(MAX_NOTICE_SECONDS, self._keep_ms / 1000)
            self._rest = list(await self._executions.due(before_ms, period))
        some, self._rest = self._rest[:FORGET_PARTITIONS], self._rest[FORGET_PARTITIONS:]
        self._rest += [each for each in some if await self._forget_pages(each, before_ms)]
        deliveries = await self._entries.forget_deliveries(before_ms)
        batches = await self._batches.forget(before_ms)
        occurrences = await self._occurrences.forget(before_ms)
        self.is_complete = not (self._rest or deliveries or batches or occurrences)
        return not self.is_complete

    async def _forget_pages(self, partition: int, before_ms: int) -> bool:
        for _ in range(FORGET_PAGES):
            if not await self._executions.forget(partition, before_ms):
                return False
        return True


class OldRows(Duty):
    """Removes rows of the history whose retention is over, once Redis has forgotten them."""

    name = "remove rows"
    interval_seconds = RETIRE_SECONDS

    def __init__(self, retention: Retention, forgetting: Forgetting) -> None:
        self._retention = retention
        self._forgetting = forgetting

    async def run(self) -> bool:
        """Remove one batch. Raises Unavailable or HistoryUnavailable."""
        return not self._forgetting.is_complete or await self._retention.remove()
