"""Recovery from dead gateways: callers who waited there are told by the webhooks of their keys."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice

from engine.ids import partitions
from engine.store import Store
from engine.store.dispatch.gateway_leases import GatewayLease, WaitedExecution
from engine.store.executions.caller_waits import SINCE_SCHEMA, DeadGateway, WaitVerdict
from workers.recovery.clock import RecoveryClock
from workers.recovery.duty import Duty

LOOK_SECONDS = 1.0
ACCOUNTS_BATCH = 1_000
PAGES_AT_ONCE = 20
PAGE = 50
"""Executions of one page: of one account, or ended ones of one partition."""
ANSWER_MS = 1_000
"""Time that an answer may take to begin after the end of its execution."""

log = logging.getLogger(__name__)

NO_GATEWAYS: Mapping[str, GatewayLease] = {}


class DeadGateways(Duty):
    """Ends the waits of gateways whose leases are over, as for callers who are gone.

    A pass goes over the unfinished executions, accounts taking turns, then over those that have
    ended since the gateways were last alive: their answers may not have begun. A caller whose
    answer began in the two seconds before the death may thus be told a second time.
    """

    name = "recover from dead gateways"
    interval_seconds = LOOK_SECONDS

    def __init__(self, store: Store, clock: RecoveryClock) -> None:
        self._store = store
        self._clock = clock
        self._begin_pass(NO_GATEWAYS)

    def _begin_pass(self, dead: Mapping[str, GatewayLease]) -> None:
        self._dead = dead
        """Leases of this pass by channel; none between passes."""
        self._position: int | None = 0
        """Position among the accounts; None: all were looked at."""
        self._sets: deque[tuple[str, str, bytes]] = deque()
        """Sets of unfinished executions that are left: account, key, and cursor of the scan."""
        self._ended = deque((partition, 0) for partition in partitions.every()) if dead else deque()
        """Partitions with ended executions that are left, with positions among these."""
        self._told = 0

    async def run(self) -> bool:
        """Go on with a pass, or begin one when a lease is over. Raises Unavailable."""
        if not self._dead:
            self._begin_pass(await self._find_dead())
            return bool(self._dead)
        if self._sets:
            await self._end_unfinished()
        elif self._position is not None:
            await self._find_accounts(self._position)
        elif self._ended:
            await self._end_ended()
        else:
            await self._end_pass()
            return False
        return True

    async def _find_dead(self) -> Mapping[str, GatewayLease]:
        # Gateways that could not renew their leases may live, as workers may.
        if self._clock.spares_silent_workers:
            return NO_GATEWAYS
        leases = await self._store.gateway_leases.all()
        now = self._clock.redis_ms
        if now is None:
            now = await self._store.leases.now()
        dead = {each.channel: each for each in leases if not each.covers(now)}
        if self._store.schema.allows(SINCE_SCHEMA):
            return dead
        for lease in dead.values():
            await self._store.gateway_leases.remove(lease)
        return NO_GATEWAYS

    async def _find_accounts(self, position: int) -> None:
        account_ids = await self._store.orphans.accounts(position, ACCOUNTS_BATCH)
        found = await self._store.gateway_leases.unfinished(account_ids)
        self._sets.extend((*each, b"0") for each in found)
        is_last = len(account_ids) < ACCOUNTS_BATCH
        self._position = None if is_last else position + len(account_ids)

    async def _end_unfinished(self) -> None:
        some = list(islice(self._sets, PAGES_AT_ONCE))
        pages = await asyncio.gather(
            *(self._store.gateway_leases.page(*each, PAGE) for each in some)
        )
        await self._end_waits(reference for _, found in pages for reference in found)
        for (account_id, key, _), (cursor, _) in zip(some, pages, strict=True):
            self._sets.popleft()
            if cursor != b"0":
                self._sets.append((account_id, key, cursor))

    async def _end_ended(self) -> None:
        some = list(islice(self._ended, PAGES_AT_ONCE))
        since = min(lease.renewed_at for lease in self._dead.values()) - ANSWER_MS
        pages = await asyncio.gather(
            *(self._store.gateway_leases.ended(place, since, start, PAGE) for place, start in some)
        )
        await self._end_waits(reference for found in pages for reference in found)
        for (place, start), found in zip(some, pages, strict=True):
            self._ended.popleft()
            if len(found) == PAGE:
                self._ended.append((place, start + PAGE))

    async def _end_waits(self, references: Iterable[str]) -> None:
        waited = await self._store.gateway_leases.waited(references, self._dead)
        told = await asyncio.gather(*(self._end_wait(each) for each in waited))
        self._told += sum(told)

    async def _end_wait(self, waited: WaitedExecution) -> bool:
        """End one wait; return whether a webhook is notified."""
        lease = self._dead[waited.channel]
        if waited.ended_at is not None and waited.ended_at < lease.renewed_at - ANSWER_MS:
            return False
        decision = await self._store.caller_waits.end(
            waited.account_id,
            waited.execution_id,
            waited.key_id,
            is_caller_gone=True,
            gateway=DeadGateway(channel=lease.channel, lived_until=lease.ends_at),
        )
        return decision.verdict is WaitVerdict.DELIVERED

    async def _end_pass(self) -> None:
        for lease in self._dead.values():
            await self._store.gateway_leases.remove(lease)
        log.warning("gateways died", extra={"gateways": len(self._dead), "told": self._told})
        self._begin_pass(NO_GATEWAYS)
