"""Rate limits: calls of one account and route, counted in fixed windows by Redis's clock."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from msgspec import Struct

from engine.access.tiers import Tiers, TierTerms
from engine.ids.partitions import partition_of
from engine.store.accounts.accounts import Account
from engine.store.redis import keyspace
from engine.store.redis.client import Client

WINDOW_SECONDS = 60
WINDOW_MS = WINDOW_SECONDS * 1000
WORKFLOW_RUNS = "workflows/run"
"""Bucket of runs of workflows."""
UPLOADS = "assets"
"""Bucket of uploads."""
SAVES = "workflows"
"""Bucket of saves of workflows."""
DRAFTS = "drafts"
"""Bucket of writes of drafts."""
CHECKS = "checks"
"""Bucket of checks of graphs."""
EXPRESSION_TRIALS = "expressions"
"""Bucket of trials of expressions; all other buckets count runs."""
NODES_OF_CALL = 100
"""Nodes for each of which, beyond the first call, the check of a graph counts once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """State of an account's window of one route. Times are in seconds."""

    limit: int
    calls: int
    """Calls in the window, with the one that is being counted; over `limit` if that is refused."""
    ends_at: int
    seconds_left: int
    """Seconds until the window ends, rounded up."""

    @property
    def is_refused(self) -> bool:
        """Return whether the call is beyond the limit."""
        return self.calls > self.limit

    @property
    def remaining(self) -> int:
        """Calls that the window still allows."""
        return max(0, self.limit - self.calls)


class CallWindow(Struct, frozen=True, kw_only=True):
    """Window of an account's runs by the names of its parts in scripts; None: unlimited."""

    account_id: str
    windows: str | None = None
    most_calls: int | None = None
    bucket: str | None = None
    window_ms: int | None = None

    @classmethod
    def of(cls, account_id: str, terms: TierTerms) -> Self:
        """Return the window of an account with these terms."""
        if terms.runs_per_minute is None:
            return cls(account_id=account_id)
        return cls(
            account_id=account_id,
            windows=keyspace.windows(partition_of(account_id)),
            most_calls=terms.runs_per_minute,
            bucket=WORKFLOW_RUNS,
            window_ms=WINDOW_MS,
        )


def parse_window(reply: Sequence[bytes | int]) -> Window:
    """Return the window of a script's reply: limit, calls, end and now in milliseconds."""
    limit, calls, ends, now = (int(each) for each in reply)
    return Window(
        limit=limit, calls=calls, ends_at=ends // 1000, seconds_left=-((now - ends) // 1000)
    )


class RateWindows:
    """Reads windows without counting a call."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def current(self, account_id: str, bucket: str, limit: int) -> Window:
        """Return the account's current window of a bucket with this limit."""
        windows = keyspace.windows(partition_of(account_id))
        counted, (seconds, microseconds) = await asyncio.gather(
            self._client.send("HGET", windows, f"{account_id}|{bucket}"),
            self._client.send("TIME"),
        )
        now = int(seconds) * 1000 + int(microseconds) // 1000
        ends = (now // WINDOW_MS + 1) * WINDOW_MS
        window, _, calls = (counted or b"0:0").partition(b":")
        return parse_window([limit, calls if int(window) == ends else 0, ends, now])


class CallLimits:
    """Calls per window of each tier, by bucket."""

    def __init__(self, tiers: Tiers) -> None:
        self._runs = limits_by_tier(tiers, lambda terms: terms.runs_per_minute)
        self._others = {
            UPLOADS: limits_by_tier(tiers, lambda terms: terms.uploads_per_minute),
            DRAFTS: limits_by_tier(tiers, lambda terms: terms.draft_writes_per_minute),
            CHECKS: limits_by_tier(tiers, lambda terms: terms.checks_per_minute),
            EXPRESSION_TRIALS: limits_by_tier(
                tiers, lambda terms: terms.expression_trials_per_minute
            ),
            SAVES: limits_by_tier(tiers, lambda terms: terms.saves_per_minute),
        }

    def by_tier(self, bucket: str) -> list[str | int]:
        """Return tier and limit of every tier with a limit, as the counting scripts take them."""
        return self._others.get(bucket, self._runs)

    def limit(self, bucket: str, account: Account) -> int | None:
        """Return the account's calls in a window of the bucket; None: unlimited."""
        limits = self.by_tier(bucket)
        if account.limits_name not in limits:
            return None
        return int(limits[limits.index(account.limits_name) + 1])


def limits_by_tier(tiers: Tiers, limit: Callable[[TierTerms], int | None]) -> list[str | int]:
    """Return tier and limit of every limited tier as arguments of scripts."""
    return [
        word
        for tier, terms in tiers.by_tier.items()
        if (most := limit(terms)) is not None
        for word in (tier.value, most)
    ]
