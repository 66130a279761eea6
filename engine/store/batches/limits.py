"""Limits of an account on the items of its batches."""

from typing import Self

from msgspec.structs import asdict, replace

from engine.access.tiers import TierTerms
from engine.store.accounts.rate_limits import CallWindow


class ItemLimits(CallWindow, frozen=True, kw_only=True):
    """Limits by their names in scripts; None: unlimited.

    Items take at most half of an account's executions, and half of its rate of runs.
    """

    most_active: int | None = None
    """Executions of the account that have not ended."""
    most_items: int | None = None
    """Those of them that are items."""

    @classmethod
    def of(cls, account_id: str, terms: TierTerms) -> Self:
        """Return the limits of an account with these terms."""
        most = terms.executions_at_once
        return cls(
            **asdict(CallWindow.of(account_id, terms)),
            most_active=most,
            most_items=None if most is None else max(1, most // 2),
        )

    def outside_windows(self) -> Self:
        """Return the limits of an item that counts in no window of runs."""
        return replace(self, windows=None, most_calls=None, bucket=None, window_ms=None)
