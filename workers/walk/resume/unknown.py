"""Executions with a part that this worker does not know, as a worker of a later release may.

A worker that leaves one passes its hint on, and passes it on again when it comes back soon, a few
times: whichever workers happen to take it, it has most likely been at all of them then.
"""

import logging
from time import monotonic

from engine.executions.statuses import ExecutionStatus
from engine.graph.features import UnknownPart
from engine.process.lru_cache import LruCache
from engine.store import Store
from engine.store.dispatch.hints import BULK_QUEUE
from engine.store.executions.claim import ClaimedExecution
from engine.telemetry import metrics
from workers.nodes.executor import Executor
from workers.runtime.store_retries import retry_until_answered
from workers.walk.resume.endings import end_cancelled, end_unknown

UNKNOWN_WAIT_MS = 3_600_000
"""Time for which such an execution waits, unless the operator sets another."""
LEFT_PER_SECOND = 40
"""Executions of one account that a worker brings back each second, however many wait."""
JUST_LEFT_SECONDS = 0.9
"""A hint that comes back within this time is not claimed; the execution is due again later."""
MOST_PASSES = 4
"""Times that a worker passes a hint on within that time."""
CROWD_MS = 1_000
"""With this pause on, an account has so many left executions that their hints are not passed on."""
KEPT = 10_000
"""Accounts, and executions, whose last time is known."""
PARTS_KEPT = 1_000

logger = logging.getLogger(__name__)


class UnknownExecutions:
    """Leaves executions to workers that know them, and ends those that have waited for too long."""

    def __init__(self, store: Store, executor: Executor, wait_ms: int) -> None:
        self._store = store
        self._executor = executor
        self._wait_ms = wait_ms
        self._left: LruCache[str, tuple[float, int]] = LruCache(KEPT)
        """Time at which each execution was left here, and passes of its hint since."""
        self._next: LruCache[str, float] = LruCache(KEPT)
        """Earliest time at which the next execution of an account comes back."""
        self._logged: LruCache[str, bool] = LruCache(PARTS_KEPT)

    def pass_on(self, reference: str) -> bool:
        """Pass on the hint of an execution that was just left here; False: it is to be claimed."""
        left = self._left.get(reference)
        if left is None or monotonic() - left[0] >= JUST_LEFT_SECONDS:
            return False
        at, passes = left
        if passes < MOST_PASSES:
            self._pass(reference, at, passes + 1)
        return True

    def _pass(self, reference: str, at: float, passes: int) -> None:
        self._left.put(reference, (at, passes))
        # Others' hints come first.
        self._store.hints.send_soon(reference, BULK_QUEUE)

    async def leave(self, claimed: ClaimedExecution, part: UnknownPart) -> None:
        """Give the execution back to other workers, or end it. Raises LeaseLost."""
        # The jobs to cancel at providers are on the record, if it is of a known format.
        if claimed.status is ExecutionStatus.CANCEL_REQUESTED and claimed.statuses:
            await end_cancelled(self._store, self._executor, claimed)
            return
        since = claimed.unknown_since
        if claimed.now - (claimed.now if since is None else since) >= self._wait_ms:
            minutes = self._wait_ms / 60_000
            await end_unknown(self._store, self._executor, claimed, part, minutes)
            return
        if self._logged.get(part.name) is None:
            self._logged.put(part.name, True)
            extra = {"unknown": part.name, "fix": "Replace the older workers by the new release"}
            logger.warning("leaves executions to other workers", extra=extra)
        walks, pause_ms = self._store.walks, self._next_pause_ms(claimed.account_id)
        await retry_until_answered(
            lambda: walks.leave_unknown(
                claimed.lease, part, wait_ms=self._wait_ms, pause_ms=pause_ms
            ),
            "leave to others",
        )
        metrics.EXECUTIONS_LEFT_UNKNOWN.inc()
        if pause_ms >= CROWD_MS:
            self._left.put(claimed.reference, (monotonic(), MOST_PASSES))
        else:
            self._pass(claimed.reference, monotonic(), 1)

    async def take(self, claimed: ClaimedExecution) -> None:
        """Note that this worker knows an execution that has waited for one. Raises Unavailable."""
        await self._store.walks.end_waiting(claimed.lease)

    def _next_pause_ms(self, account_id: str) -> int:
        """Return the least pause of the account's next execution, which follows its former one."""
        now = monotonic()
        at = max(now, self._next.get(account_id) or now)
        self._next.put(account_id, at + 1 / LEFT_PER_SECOND)
        return round((at - now) * 1000)
