"""Batches: their statuses, those of their items, and counts of these."""

from collections import Counter
from enum import StrEnum

from msgspec import Struct

from engine.executions.statuses import CodedStatus

MAX_ITEMS = 1_000
MAX_CONCURRENCY = 100
DEFAULT_CONCURRENCY = 20
MAX_QUEUED_ITEMS = 100_000
"""Most items of an account that have not begun, over all its batches."""


LIST_CONCURRENCY = 4
"""Most executions of a replay, or of a test run, at once."""
MAX_OPEN_LISTS = 100
"""Most replays and test runs of an account that are not over."""


class BatchKind(StrEnum):
    """Kind of a batch. Replays and test runs are lists of runs that are fed like batches."""

    BATCH = ""
    REPLAY = "replay"
    TESTS = "tests"


class BatchStatus(StrEnum):
    """Status of a batch."""

    PROCESSING = "processing"
    CANCELLING = "cancelling"
    """Cancelled, while items still run; callers see `processing`."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing is queued or runs."""
        return self in (BatchStatus.COMPLETED, BatchStatus.CANCELLED)

    @property
    def shown(self) -> "BatchStatus":
        """Status as callers see it."""
        return BatchStatus.PROCESSING if self is BatchStatus.CANCELLING else self


class ItemStatus(CodedStatus):
    """Status of an item of a batch."""

    QUEUED = "queued", "q"
    PROCESSING = "processing", "p"
    COMPLETED = "completed", "c"
    FAILED = "failed", "f"
    CANCELLED = "cancelled", "x"


ITEM_STATUSES: dict[str, ItemStatus] = {status.code: status for status in ItemStatus}
"""Statuses of items by code."""


def parse_item_status(code: str) -> ItemStatus:
    """Return the status of a code; PROCESSING for one of a later release."""
    return ITEM_STATUSES.get(code, ItemStatus.PROCESSING)


class BatchCounts(Struct, frozen=True, kw_only=True):
    """Number of items of each status."""

    queued: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @classmethod
    def of(cls, codes: str) -> "BatchCounts":
        """Return the counts of the codes of all items."""
        counts: Counter[str] = Counter()
        for code, count in Counter(codes).items():
            counts[parse_item_status(code).value] += count
        return cls(**counts)
