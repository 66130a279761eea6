"""Budget of accounts' outbound calls, leased from the store in batches."""

import asyncio
import logging
from dataclasses import dataclass, field

from engine.errors import EngineError
from engine.errors.nodes import NodeFailed
from engine.store.limits.outbound import CallAllowance, OutboundCalls

MAX_LEASE = 256
"""Most calls of one lease."""
REPORT_BYTES = 16_777_216
"""Uncounted bytes of an account above which they are reported before its next call."""
REFUSED_SECONDS = 1.0
"""Time for which a refusal holds without another request."""
UNKNOWN_SECONDS = 1.0
"""Time for which calls go uncounted after the store did not answer."""
MAX_HOSTS = 10_000
MAX_ACCOUNTS = 10_000
"""Accounts with uncounted bytes; beyond that number the bytes of the first one are dropped."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _LeasedCalls:
    """Rest of the last lease for an account's calls to one host."""

    left: float = 0
    ends: float = 0.0
    last: int = 0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CallBudget:
    """Admits calls within the account's limit per minute."""

    def __init__(self, leases: OutboundCalls) -> None:
        self._leases = leases
        self._leased_calls: dict[tuple[str, str], _LeasedCalls] = {}
        self._uncounted: dict[str, int] = {}
        self._clock = asyncio.get_running_loop().time

    def try_count(self, account_id: str, host: str) -> bool:
        """Count one call that a lease covers; False: `count` must count it."""
        leased = self._leased_calls.get((account_id, host))
        if leased is None or leased.left < 1 or self._must_lease(account_id, leased):
            return False
        leased.left -= 1
        return True

    async def count(self, account_id: str, host: str) -> None:
        """Count one call. Raises NodeFailed (outbound_limit)."""
        leased = self._leased(account_id, host)
        if self._must_lease(account_id, leased):
            await self._wait(account_id, host, leased)
        if leased.left < 1:
            message = "The account has made all outbound calls that it may make in this minute"
            raise NodeFailed("outbound_limit", message, retryable=True)
        leased.left -= 1

    async def _wait(self, account_id: str, host: str, leased: _LeasedCalls) -> None:
        leased.waiting += 1
        try:
            async with leased.lock:
                if self._must_lease(account_id, leased):
                    await self._lease(account_id, host, leased)
        finally:
            leased.waiting -= 1

    def add_bytes(self, account_id: str, count: int) -> None:
        """Add bytes that were sent or received; they are counted with the account's next lease."""
        self._uncounted[account_id] = self._uncounted.pop(account_id, 0) + count
        if len(self._uncounted) > MAX_ACCOUNTS:
            del self._uncounted[next(iter(self._uncounted))]

    def _leased(self, account_id: str, host: str) -> _LeasedCalls:
        leased = self._leased_calls.get((account_id, host))
        if leased is None:
            if len(self._leased_calls) >= MAX_HOSTS:
                self._forget()
            leased = self._leased_calls[account_id, host] = _LeasedCalls()
        return leased

    def _forget(self) -> None:
        now = self._clock()
        used = {
            key: each for key, each in self._leased_calls.items() if each.waiting or each.ends > now
        }
        self._leased_calls = used if len(used) < MAX_HOSTS else {}

    def _must_lease(self, account_id: str, leased: _LeasedCalls) -> bool:
        """Return whether the lease is over or used up, or many bytes are uncounted."""
        if self._clock() >= leased.ends:
            return True
        is_used_up = leased.left < 1 and leased.last > 0
        return is_used_up or self._uncounted.get(account_id, 0) >= REPORT_BYTES

    async def _lease(self, account_id: str, host: str, leased: _LeasedCalls) -> None:
        is_new = self._clock() >= leased.ends
        calls = max(1 if is_new else 2 * leased.last, leased.waiting)
        unused = 0 if is_new else leased.left
        sent = self._uncounted.pop(account_id, 0)
        try:
            lease = await self._leases.lease(
                account_id, host, calls=min(calls, MAX_LEASE), sent=sent
            )
        except EngineError as error:
            log.warning("outbound calls go uncounted", extra={"reason": error.message})
            self.add_bytes(account_id, sent)
            lease = CallAllowance(calls=None, seconds=UNKNOWN_SECONDS)
        leased.left = float("inf") if lease.calls is None else lease.calls and unused + lease.calls
        leased.last = MAX_LEASE if lease.calls is None else lease.calls
        seconds = min(lease.seconds, REFUSED_SECONDS) if lease.calls == 0 else lease.seconds
        leased.ends = self._clock() + seconds
