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
UNTOLD_BYTES = 16_777_216
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
class _Stock:
    """What is left of the last lease for an account's calls to one host."""

    left: float = 0
    ends: float = 0.0
    last: int = 0
    waiting: int = 0
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class CallBudget:
    """Lets calls go, or says that the account has made all of this minute's."""

    def __init__(self, leases: AllowanceSource) -> None:
        self._leases = leases
        self._stocks: dict[tuple[str, str], _Stock] = {}
        self._untold: dict[str, int] = {}
        self._clock = asyncio.get_running_loop().time

    async def take(self, account_id: str, host: str) -> None:
        """One call is about to be made. Raises NodeFailed (outbound_limit)."""
        stock = self._stock(account_id, host)
        if self._must_ask(account_id, stock):
            await self._wait(account_id, host, stock)
        if stock.left < 1:
            message = "The account has made all outbound calls that it may make in this minute"
            raise NodeFailed("outbound_limit", message, retryable=True)
        stock.left -= 1

    async def _wait(self, account_id: str, host: str, stock: _Stock) -> None:
        stock.waiting += 1
        try:
            async with stock.asking:
                if self._must_ask(account_id, stock):
                    await self._ask(account_id, host, stock)
        finally:
            stock.waiting -= 1

    def note(self, account_id: str, sent: int) -> None:
        """So many bytes went out and came in; counted with the account's next lease."""
        self._untold[account_id] = self._untold.pop(account_id, 0) + sent
        if len(self._untold) > MAX_ACCOUNTS:
            del self._untold[next(iter(self._untold))]

    def _stock(self, account_id: str, host: str) -> _Stock:
        stock = self._stocks.get((account_id, host))
        if stock is None:
            if len(self._stocks) >= MAX_HOSTS:
                self._forget()
            stock = self._stocks[account_id, host] = _Stock()
        return stock

    def _forget(self) -> None:
        now = self._clock()
        kept = {key: each for key, each in self._stocks.items() if each.waiting or each.ends > now}
        self._stocks = kept if len(kept) < MAX_HOSTS else {}

    def _must_ask(self, account_id: str, stock: _Stock) -> bool:
        """Whether the lease is over, used up, or given when fewer bytes had gone."""
        if self._clock() >= stock.ends:
            return True
        is_used_up = stock.left < 1 and stock.last > 0
        return is_used_up or self._untold.get(account_id, 0) >= UNTOLD_BYTES

    async def _ask(self, account_id: str, host: str, stock: _Stock) -> None:
        is_new = self._clock() >= stock.ends
        calls = max(1 if is_new else 2 * stock.last, stock.waiting)
        kept = 0 if is_new else stock.left
        sent = self._untold.pop(account_id, 0)
        try:
            lease = await self._leases.lease(
                account_id, host, calls=min(calls, MAX_LEASE), sent=sent
            )
        except EngineError as error:
            log.warning("outbound calls go uncounted", extra={"reason": error.message})
            self.note(account_id, sent)
            lease = CallAllowance(calls=None, seconds=UNKNOWN_SECONDS)
        stock.left = float("inf") if lease.calls is None else lease.calls and kept + lease.calls
        stock.last = MAX_LEASE if lease.calls is None else lease.calls
        holds = min(lease.seconds, REFUSED_SECONDS) if lease.calls == 0 else lease.seconds
        stock.ends = self._clock() + holds
