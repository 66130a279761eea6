"""Limits of an account on the items of its batches."""

from typing import Self

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.ids.partitions import partition_of
from engine.store.accounts.rate_limits import WINDOW_MS, WORKFLOW_RUNS
from engine.store.redis import keyspace


class ItemLimits(Struct, frozen=True, kw_only=True):
    """Limits by their names in scripts; None: unlimited.

    Items take at most half of an account's executions, and half of its rate of runs.
    """

    account_id: str
    most_active: int | None = None
    """Executions of the account that have not ended."""
    most_items: int | None = None
    """Those of them that are items."""
    windows: str | None = None
    most_calls: int | None = None
    """Runs of the account in a window."""
    bucket: str | None = None
    window_ms: int | None = None

    @classmethod
    def of(cls, account_id: str, terms: TierTerms) -> Self:
        """Return the limits of an account with these terms."""
        most, calls = terms.executions_at_once, terms.runs_per_minute
        is_counted = calls is not None
        return cls(
            account_id=account_id,
            most_active=most,
            most_items=None if most is None else max(1, most // 2),
            windows=keyspace.windows(partition_of(account_id)) if is_counted else None,
            most_calls=calls,
            bucket=WORKFLOW_RUNS if is_counted else None,
            window_ms=WINDOW_MS if is_counted else None,
        )
