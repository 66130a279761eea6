"""The sender of webhooks: one attempt for each hint, signed, recorded, and retried later.

An attempt needs a turn at its host from the governor, over all workers: it limits the attempts at a
time, and their rate at a host without a 2xx in the last hour, and serves accounts in turn.
"""

import asyncio
import contextlib
import logging
import math
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field

from engine.access.approval_links import ApprovalLinks
from engine.errors import EngineError
from engine.errors.nodes import NodeFailed
from engine.executions.retry import jittered
from engine.process.stop_signals import Stop
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.webhooks.deliveries import ClaimedDelivery, DeliveryReceiver
from engine.store.webhooks.owners import is_counted, key_of
from engine.telemetry import log, metrics
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.schedule import DeliveryVerdict
from workers.outbound.client import Egress
from workers.providers.limiter.call_limiter import CallLimiter, LimiterKey, LimiterTurn
from workers.runtime.store_retries import retry_until_answered
from workers.webhooks.attempts import DeliveryAttempts
from workers.webhooks.delivery_spans import end_attempt
from workers.webhooks.host_limits import HostLimits, host_of

MAX_TURNS = 10
"""Turns that one process requests or has at a time for one webhook."""
MAX_WAITING = 20_000
"""Deliveries of one webhook that wait in one process; further ones come again when they are due."""
NO_TURN_SECONDS = 1.0
"""Pause before a turn is requested again after an error."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _WebhookQueue:
    """Deliveries to one host of one key's webhook, or of all webhooks of an account's runs.

    They wait here for their turn.

    They stay due and unclaimed: when this process dies, another one gets their hints.
    """

    account_id: str
    host: str
    limiter_key: LimiterKey
    is_counted: bool = False
    """Whether the account's outbound calls count them: they are of webhooks of its runs."""
    paid: int = 0
    """Calls that are counted for deliveries which still wait."""
    turns: int = 0
    """Turns that are requested or taken."""
    requested: int = 0
    """Of these, the turns that are requested."""
    waiting: deque[tuple[str, DeliveryReceiver]] = field(default_factory=deque)

    @property
    def needs_turn(self) -> bool:
        """True when a delivery waits for which no turn is requested yet."""
        return len(self.waiting) > self.requested


class WebhookSender:
    """Takes hints of deliveries and makes their attempts.

    A slow receiver delays no other one, and an account with many deliveries no other account.
    `release` is called once for each hint that was taken; `scale` shortens the schedule's pauses
    for tests.
    """

    def __init__(
        self,
        *,
        store: Store,
        egress: Egress,
        links: ApprovalLinks,
        limiter: CallLimiter,
        limits: HostLimits,
        release: Callable[[], None],
        scale: float = 1.0,
    ) -> None:
        self._store = store
        self._egress = egress
        self._attempts = DeliveryAttempts(store, egress, links, scale)
        self._limiter = limiter
        self._limits = limits
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._is_draining = False
        self._references: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: dict[tuple[str, str], _WebhookQueue] = {}
        self._attempting: set[asyncio.Task[None]] = set()

    def take_hint(self, reference: str) -> None:
        """Attempt a delivery in the background."""
        if self._is_draining:
            self._release()
            self._store.hints.send_delivery_soon(reference)  # it came too late for this worker
            return
        if reference in self._references or not keyspace.is_reference(reference):
            self._release()
            return
        self._references.add(reference)
        task = self._loop.create_task(self._deliver(reference))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def stop(self) -> None:
        """Begin no more attempts."""
        self._is_draining = True

    async def drain(self, seconds: float, stop: Stop | None = None) -> None:
        """Let running attempts end; the remaining deliveries go to other workers."""
        self.stop()
        await (stop or Stop()).wait_for(self._attempting, seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(EngineError):  # the sweeper sends them again
            await self._store.hints.send_deliveries(self._references)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._release()

    async def _deliver(self, reference: str) -> None:
        _bind(reference)
        try:
            receiver = await self._store.deliveries.find_receiver(reference)
        except EngineError as error:
            logger.warning("left a delivery", extra={"reason": error.message})
            receiver = None
        except Exception:
            logger.exception("a delivery failed unexpectedly")
            receiver = None
        if receiver is None:
            self._references.discard(reference)
            return
        if self._is_draining:
            return  # its hint is sent back
        host = host_of(receiver.url)
        account_id, _ = keyspace.parse_reference(reference)
        counts = is_counted(receiver.owner)
        queue_key = account_id if counts else receiver.owner, host
        queue = self._queues.get(queue_key)
        if queue is None:
            queue = self._queues[queue_key] = _WebhookQueue(
                account_id, host, self._limits.limiter_key(host), counts
            )
        if len(queue.waiting) >= MAX_WAITING:
            self._references.discard(reference)
            return
        queue.waiting.append((reference, receiver))
        if queue.turns < MAX_TURNS and queue.needs_turn:
            await self._process_queue(queue)
            if not queue.turns and not queue.waiting:
                self._queues.pop(queue_key, None)

    async def _process_queue(self, queue: _WebhookQueue) -> None:
        """Attempt deliveries, each in its turn, until none waits."""
        queue.turns += 1
        try:
            while queue.needs_turn and not self._is_draining:
                await self._attempt_next(queue)
        finally:
            queue.turns -= 1

    async def _attempt_next(self, queue: _WebhookQueue) -> None:
        if queue.is_counted and not await self._count_call(queue):
            return
        queue.paid += 1
        try:
            async with self._turn(queue) as turn:
                if not self._is_draining:
                    await self._track(self._use_turn(turn, queue))
        except NodeFailed as error:
            queue.paid -= 1
            logger.warning("no turn for a delivery", extra={"reason": error.message})
            await asyncio.sleep(jittered(NO_TURN_SECONDS))

    async def _count_call(self, queue: _WebhookQueue) -> bool:
        """Count one call of the account; False: it has made all of this minute.

        Deliveries whose call is not counted wait in Redis for the next minute then.
        """
        try:
            await self._egress.count(queue.account_id, queue.host)
            return True
        except NodeFailed:
            unpaid = len(queue.waiting) - queue.paid
            waiting = [queue.waiting.pop()[0] for _ in range(unpaid)]
        try:
            await self._store.deliveries.postpone(waiting)
        except EngineError as error:  # their hints come again
            logger.warning("left deliveries", extra={"reason": error.message})
        finally:
            self._references.difference_update(waiting)
        return False

    async def _track(self, attempting: Coroutine[None, None, None]) -> None:
        """Make an attempt that a drain waits for."""
        attempt = self._loop.create_task(attempting)
        self._attempting.add(attempt)
        try:
            await attempt
        finally:
            self._attempting.discard(attempt)

    @contextlib.asynccontextmanager
    async def _turn(self, queue: _WebhookQueue) -> AsyncIterator[LimiterTurn]:
        async with contextlib.AsyncExitStack() as stack:
            queue.requested += 1
            try:
                turns = self._limiter.turn(queue.limiter_key, queue.account_id, 0, math.inf)
                turn = await stack.enter_async_context(turns)
            finally:
                queue.requested -= 1
            yield turn

    async def _use_turn(self, turn: LimiterTurn, queue: _WebhookQueue) -> None:
        """Use a turn for the first delivery that can still be claimed."""
        is_claimed = False
        queue.paid -= 1
        while queue.waiting and not is_claimed:
            reference, receiver = queue.waiting.popleft()
            _bind(reference)
            try:
                is_claimed = await self._claim_and_attempt(reference, receiver, turn)
            except EngineError as error:
                logger.warning("left a delivery", extra={"reason": error.message})
            except Exception:
                logger.exception("a delivery failed unexpectedly")
            finally:
                self._references.discard(reference)

    async def _claim_and_attempt(
        self, reference: str, receiver: DeliveryReceiver, turn: LimiterTurn
    ) -> bool:
        """Attempt a delivery; returns False when the claim is refused."""
        # A claim whose reply was lost may have been made; repeated, it has the same reply.
        token = secrets.token_hex(8)
        deliveries = self._store.deliveries
        claimed = await retry_until_answered(
            lambda: deliveries.claim(reference, receiver, token), "claim"
        )
        if claimed is None:
            return False
        if claimed.first_lag is not None:
            metrics.WEBHOOK_LAG.observe(claimed.first_lag)
        attempt, judgement = await self._attempts.attempt(claimed)
        if judgement.status is DeliveryStatus.DELIVERED:
            turn.done()
        await self._settle(claimed, attempt, judgement)
        return True

    async def _settle(
        self, claimed: ClaimedDelivery, attempt: Attempt, judgement: DeliveryVerdict
    ) -> None:
        deliveries = self._store.deliveries
        settled = await retry_until_answered(
            lambda: deliveries.settle(claimed, attempt, judgement), "settle"
        )
        metrics.WEBHOOK_ATTEMPTS.labels(judgement.status.value).inc()
        if settled is None:
            return
        end_attempt(claimed, settled.status, claimed.now + attempt.duration_ms)
        extra: dict[str, str | None] = {"account_id": claimed.account_id, "key_id": claimed.owner}
        if key_of(claimed.owner) is None:  # the webhook of a run
            extra = {"account_id": claimed.account_id, "execution_id": claimed.execution_id}
        if settled.status is DeliveryStatus.FAILED:
            lost = {**extra, "delivery_id": claimed.id}
            logger.warning("a webhook was not delivered", extra=lost)
        if settled.disabled_reason and key_of(claimed.owner) is not None:
            metrics.WEBHOOKS_DISABLED.inc()
            logger.warning("webhook disabled", extra={**extra, "reason": settled.disabled_reason})


def _bind(reference: str) -> None:
    """Name a delivery in the log lines that follow in its task."""
    account_id, delivery_id = keyspace.parse_reference(reference)
    log.bind(account_id=account_id, delivery_id=delivery_id)
