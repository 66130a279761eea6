"""What accounts may call: leased from the store in batches, so that most calls ask nobody."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Protocol

from engine.errors import EngineError
from engine.errors.nodes import NodeFailed
from engine.store.outbound import CallAllowance

MAX_LEASE = 256
"""Calls that a worker asks for at once."""
REPORT_BYTES = 16_777_216
"""Bytes of an account from which on they are told before its next call."""
REFUSED_SECONDS = 1.0
"""How long a refusal holds without asking again."""
UNKNOWN_SECONDS = 1.0
"""How long calls go uncounted after the store did not answer."""
MAX_HOSTS = 10_000
MAX_ACCOUNTS = 10_000
"""Whose bytes are kept in mind; beyond that the account that was noted first is told of less."""

log = logging.getLogger(__name__)


class AllowanceSource(Protocol):
    """Where calls are counted over all workers."""

    async def lease(self, account_id: str, host: str, *, calls: int, sent: int) -> CallAllowance:
        """Up to so many calls. Raises EngineError."""
        ...


@dataclass(slots=True)
class _LeasedCalls:
    """What is left of the last lease for an account's calls to one host."""

    left: float = 0
    ends: float = 0.0
    last: int = 0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CallBudget:
    """Lets calls go, or says that the account has made all of this minute's."""

    def __init__(self, leases: AllowanceSource) -> None:
        self._leases = leases
        self._leased_calls: dict[tuple[str, str], _LeasedCalls] = {}
        self._uncounted: dict[str, int] = {}
        self._clock = asyncio.get_running_loop().time

    async def take(self, account_id: str, host: str) -> None:
        """One call is about to be made. Raises NodeFailed (outbound_limit)."""
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

    def note(self, account_id: str, sent: int) -> None:
        """So many bytes went out and came in; counted with the account's next lease."""
        self._uncounted[account_id] = self._uncounted.pop(account_id, 0) + sent
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
        unused = {
            key: each for key, each in self._leased_calls.items() if each.waiting or each.ends > now
        }
        self._leased_calls = unused if len(unused) < MAX_HOSTS else {}

    def _must_lease(self, account_id: str, leased: _LeasedCalls) -> bool:
        """Whether the lease is over, used up, or given when fewer bytes had gone."""
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
            self.note(account_id, sent)
            lease = CallAllowance(calls=None, seconds=UNKNOWN_SECONDS)
        leased.left = float("inf") if lease.calls is None else lease.calls and unused + lease.calls
        leased.last = MAX_LEASE if lease.calls is None else lease.calls
        seconds = min(lease.seconds, REFUSED_SECONDS) if lease.calls == 0 else lease.seconds
        leased.ends = self._clock() + seconds
