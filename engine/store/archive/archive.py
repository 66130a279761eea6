"""Port to the history: ended executions that Redis may have forgotten."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from engine.executions.execution import Execution
from engine.executions.filter import ExecutionFilter, Position
from engine.executions.statuses import ExecutionStatus
from engine.store.accounts.wallets import LedgerEntry
from engine.store.archive.ended_executions import EndedRecord
from engine.store.archive.state import InstalledId
from engine.triggers.occurrences import Occurrence, OccurrenceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedExecution:
    """Execution without nodes and result, and the packed size of its result."""

    execution: Execution
    result_bytes: int

    @property
    def row(self) -> Position:
        """Return its place in lists."""
        return Position(self.execution.created_at, self.execution.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPage:
    """Matching executions, newest first, and the last examined row, None where none follows."""

    executions: Sequence[ArchivedExecution] = ()
    last: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedCount:
    """Number of matches, and whether there are no more."""

    count: int = 0
    is_all: bool = True


@dataclass(slots=True)
class Figures:
    """Figures of some executions."""

    runs: int = 0
    failed: int = 0
    credits: int = 0
    durations: dict[int, int] = field(default_factory=dict)
    """Number of executions by bin of their duration."""

    def add(self, other: "Figures") -> None:
        """Add the figures of further executions."""
        self.runs += other.runs
        self.failed += other.failed
        self.credits += other.credits
        self.add_durations(other.durations)

    def add_durations(self, durations: Mapping[int, int]) -> None:
        """Add the durations of further executions."""
        for each, count in durations.items():
            self.durations[each] = self.durations.get(each, 0) + count


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuery:
    """Figures by time and one property of the executions created in a range, in milliseconds."""

    start: int
    end: int
    bucket_ms: int
    """Length of a bucket; buckets begin at its multiples."""
    dimension: str
    """`workflow`, `model`, `key` or `status`."""

    def bucket_of(self, created_at: int) -> int:
        """Return the start of an execution's bucket."""
        return created_at // self.bucket_ms * self.bucket_ms


SeriesKey = tuple[int, str]
"""Start of a bucket in milliseconds, and value of the dimension, empty for none."""


class ParentNode(NamedTuple):
    """Node of an execution that began others, its children."""

    parent_id: str
    node_id: str


class SeriesRow(NamedTuple):
    """Figures of the executions of one bucket and value."""

    at: int
    """Start of the bucket in milliseconds."""
    key: str
    """Value of the dimension, empty for none."""
    runs: int
    failed: int
    credits: int
    p50_ms: int | None
    """Median duration; None: none has ended."""
    p95_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFigures:
    """Figures by bucket and value, and which of some executions these include."""

    whole: Sequence[SeriesRow] = ()
    """Rows of whole buckets, in their order."""
    by_key: dict[SeriesKey, Figures] = field(default_factory=dict)
    """Figures of the other buckets, whose durations may be added to."""
    known: set[str] = field(default_factory=set)


ExecutionIds = tuple[str, str]
"""Account id and execution id."""
StreamId = tuple[int, int]
"""Time in milliseconds and number of a stream's entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter:
    """Conditions on movements of credits, all of them; None stands for any value."""

    execution_id: str | None = None
    kind: str | None = None
    since: int | None = None
    """First time in milliseconds."""
    until: int | None = None
    """Time in milliseconds from which on none matches."""

    @property
    def needs_entry(self) -> bool:
        """Return whether a match depends on more of an entry than its time."""
        return self.execution_id is not None or self.kind is not None

    def matches(self, entry: LedgerEntry) -> bool:
        """Return whether an entry, whose time matches, meets the other conditions."""
        return self.execution_id in (None, entry.execution_id) and self.kind in (None, entry.kind)

    def begin_before(self, position: StreamId | None) -> StreamId | None:
        """Return the place before which a list with a cursor's position begins."""
        if self.until is None:
            return position
        return (self.until, 0) if position is None else min(position, (self.until, 0))


EVERY_MOVEMENT = LedgerFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedLedger:
    """Last archived entry of a ledger, and the sums of all entries up to it."""

    last: StreamId
    sums: Mapping[str, int]
    """Credits by bucket, and the reserved ones under an empty name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedDelivery:
    """Fields of a delivery's record in Redis."""

    id: str
    fields: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedBatch:
    """Fields of a batch's record in Redis, without those with the inputs of its items."""

    id: str
    fields: Mapping[str, bytes]


class Archive(Protocol):
    """Reader of the history.

    Every call raises Unavailable where the installation has a history whose database this process
    lacks.
    """

    async def require(self) -> None:
        """Raise Unavailable unless this process has the database of the history.

        Call it before a removal whose reason is that neither Redis nor the history has a record.
        """
        ...

    async def record(self, account_id: str, execution_id: str) -> EndedRecord | None:
        """Return the record of an execution, None for an unknown one."""
        ...

    async def page(
        self,
        account_id: str,
        wanted: ExecutionFilter,
        after: Position | None,
        *,
        limit: int,
        offset: int = 0,
    ) -> ArchivedPage:
        """Return matches after a row and after `offset` further matches.

        A page may be short where matches are rare; the next one goes on after its `last`.
        """
        ...

    async def heads(
        self, account_id: str, execution_ids: Collection[str]
    ) -> Sequence[ArchivedExecution]:
        """Return those of these executions that the history has, in any order."""
        ...

    async def children(
        self,
        account_id: str,
        place: ParentNode,
        statuses: Collection[ExecutionStatus],
        *,
        after: int,
        limit: int,
    ) -> Sequence[ArchivedExecution]:
        """Return children of a node after an index, in the order of their indexes.

        Without statuses any matches.
        """
        ...

    async def results(self, account_id: str, execution_ids: Collection[str]) -> Mapping[str, bytes]:
        """Return the recorded results of executions that have one, by id."""
        ...

    async def count(
        self, account_id: str, wanted: ExecutionFilter, after: Position | None, *, at_most: int
    ) -> ArchivedCount:
        """Return the number of matches after a row, at most so many."""
        ...

    async def known(self, ids: Iterable[ExecutionIds]) -> set[ExecutionIds]:
        """Return those executions and batches that the history has."""
        ...

    async def figures(
        self, account_id: str, wanted: SeriesQuery, created: Mapping[str, int]
    ) -> ArchivedFigures:
        """Return figures, and which of some executions the history has at that moment.

        `created` has these executions' creation times by id; no whole bucket has one of these that
        the history lacks.
        """
        ...

    async def ledger(
        self, account_id: str, wanted: LedgerFilter, before: StreamId | None, limit: int
    ) -> Sequence[tuple[StreamId, LedgerEntry]]:
        """Return the matching entries before one of a ledger, newest first."""
        ...

    async def ledger_sums(self, account_id: str) -> ArchivedLedger | None:
        """Return the sums of a ledger's archived entries, None when it has none."""
        ...

    async def deliveries(
        self,
        account_id: str,
        key_id: str | None,
        status: str | None,
        after: Position | None,
        limit: int,
        *,
        execution_id: str | None = None,
    ) -> Sequence[ArchivedDelivery]:
        """Return ended deliveries after a row, newest first, of a webhook or of an execution.

        Without either they are those of the account. `key_id` is the owner of the webhook.
        """
        ...

    async def deliveries_since(
        self, account_id: str, key_id: str, status: str | None, since: int, limit: int
    ) -> Sequence[Position]:
        """Return the rows of a webhook's deliveries created since a time, oldest first."""
        ...

    async def delivery(self, account_id: str, delivery_id: str) -> ArchivedDelivery | None:
        """Return an ended delivery, None for an unknown one."""
        ...

    async def batch(self, account_id: str, batch_id: str) -> Mapping[str, bytes] | None:
        """Return the whole record of a batch that is over, None for an unknown one."""
        ...

    async def batches(
        self, account_id: str, after: Position | None, limit: int
    ) -> Sequence[ArchivedBatch]:
        """Return batches that are over, after a row, newest first."""
        ...

    async def occurrence(
        self, account_id: str, trigger_id: str, occurrence_id: str
    ) -> Occurrence | None:
        """Return an occurrence of a trigger, None for an unknown one."""
        ...

    async def occurrences(
        self,
        account_id: str,
        trigger_id: str,
        status: OccurrenceStatus | None,
        after: Position | None,
        limit: int,
    ) -> Sequence[Occurrence]:
        """Return occurrences of a trigger after a row, newest first; without a status: of any.

        Rows are in the order of their times `at` and ids.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


OpenArchive = Callable[[InstalledId], Archive]
"""Opens the archive of an installation."""
