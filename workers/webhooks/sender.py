"""The sender of webhooks: one attempt for each hint, signed, recorded, and tried again later.

An attempt needs a turn at its host, which the governor gives over all workers: so many at once, so
many a second to a host that has not answered 2xx for an hour, one account after the other.
"""

import asyncio
import contextlib
import hashlib
import logging
import math
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial

from engine import metrics
from engine.errors import EngineError, ExecutionNotFound, ResultGone, StorageFailed
from engine.errors.nodes import STORAGE, NodeFailed
from engine.executions.execution import Execution
from engine.executions.retry import draw_jitter, jittered
from engine.models.limits import ModelLimits
from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.store import Store
from engine.store.deliveries import ClaimedDelivery, DeliveryReceiver
from engine.store.governor import Pacing
from engine.store.redis import keyspace
from engine.webhooks.deliveries import (
    Attempt,
    DeliveryStatus,
    DeliveryVerdict,
    execution_body,
    judge,
)
from engine.webhooks.signing import sign
from workers.outbound.client import Egress
from workers.providers.limiter import CallLimiter, LimiterKey, LimiterTurn
from workers.runtime.persistence import persist

ATTEMPT_SECONDS = 10.0
READ_SECONDS = 8.0
"""How long reading what is to be sent may take: with the attempt, less than its lease."""
MAX_ANSWER_BYTES = 65_536
KEPT_ANSWER_BYTES = 2_048
LARGE_BODY = 1_048_576
"""Bytes from which on signing a body must not hold up the event loop."""
AT_ONCE = 10
"""Turns that one process asks for, or has, at once for one webhook."""
MAX_WAITING = 20_000
"""Deliveries of one webhook that wait in one process; the others come again when they are due."""
TRUST_SECONDS = 3_600.0
"""So long after a 2xx a host is called as often as there is something to tell."""
BURST_MS = 20
"""With the governor's margin of 2 %, no second has more calls than are allowed."""
NO_TURN_SECONDS = 1.0
"""Before a turn is asked for again when there was a fault."""
LABEL = "webhooks"
"""Names all hosts together in metrics."""
MAX_LOST = 5
"""A delivery whose attempts were lost so often with their workers is given up."""
DISABLED = "The webhook is disabled or deleted"
UNREAD = "The execution's result could not be read from where it is kept"
FORGOTTEN = "The execution is not kept any more"
LOST = "Workers died of its attempts"
UNREADABLE = "The webhook's secret could not be read"

logger = logging.getLogger(__name__)


class _GivenUp(Exception):
    """There is nothing to send, and never will be; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """Bounds on the attempts at one host, over all workers; 0: none."""

    fast_path: int
    per_second: int

    def limiter_key(self, host: str) -> LimiterKey:
        """The line in which attempts at a host wait for their turn."""
        return LimiterKey(
            provider=f"webhooks:{hashlib.sha256(host.encode()).hexdigest()[:16]}",
            label=LABEL,
            limits=ModelLimits(
                requests_per_minute=60 * self.per_second or None, concurrency=self.fast_path or None
            ),
            patience=math.inf,
            pacing=Pacing(burst_ms=BURST_MS, trust_ms=round(TRUST_SECONDS * 1000)),
        )


@dataclass(slots=True)
class _WebhookQueue:
    """The deliveries of one webhook to one host that wait here for their turn.

    They are due all the while, and unclaimed: when this process dies, another one gets their hints.
    """

    account_id: str
    limiter_key: LimiterKey
    asking: int = 0
    """Turns that are asked for or taken."""
    ungiven: int = 0
    """Of these, the turns that are asked for."""
    waiting: deque[tuple[str, DeliveryReceiver]] = field(default_factory=deque)

    @property
    def needs_turn(self) -> bool:
        """Whether a delivery waits for which no turn is asked for yet."""
        return len(self.waiting) > self.ungiven


class WebhookSender:
    """Takes hints of deliveries and makes their attempts.

    A slow receiver holds up nobody but itself, and an account with many deliveries no other one.
    `release` is called once for each hint that was taken; `scale` shortens the schedule's pauses
    for tests.
    """

    def __init__(
        self,
        *,
        store: Store,
        egress: Egress,
        governor: CallLimiter,
        limits: HostLimits,
        release: Callable[[], None],
        scale: float = 1.0,
    ) -> None:
        self._store = store
        self._egress = egress
        self._governor = governor
        self._limits = limits
        self._release = release
        self._scale = scale
        self._loop = asyncio.get_running_loop()
        self._is_draining = False
        self._in_hand: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: dict[tuple[str, str], _WebhookQueue] = {}
        self._attempting: set[asyncio.Task[None]] = set()

    def take(self, reference: str) -> None:
        """Attempt a delivery soon; returns at once."""
        if self._is_draining:
            self._release()
            self._store.hints.send_delivery_soon(reference)  # it came too late for this worker
            return
        if reference in self._in_hand or not keyspace.is_reference(reference):
            self._release()
            return
        self._in_hand.add(reference)
        task = self._loop.create_task(self._deliver(reference))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def stop(self) -> None:
        """Begin no more attempts."""
        self._is_draining = True

    async def drain(self, seconds: float) -> None:
        """Let attempts under way end; others get what is left."""
        self.stop()
        if self._attempting:
            await asyncio.wait(self._attempting, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(EngineError):  # the sweeper sends them again
            await self._store.hints.send_deliveries(self._in_hand)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._release()

    async def _deliver(self, reference: str) -> None:
        try:
            receiver = await self._store.deliveries.receiver_of(reference)
        except EngineError as error:
            logger.warning("left a delivery", extra={"reason": error.message})
            receiver = None
        except Exception:
            logger.exception("a delivery failed unexpectedly")
            receiver = None
        if receiver is None:
            self._in_hand.discard(reference)
            return
        if self._is_draining:
            return  # it stays in hand and is sent back
        host = _host_of(receiver.url)
        place = receiver.key_id, host
        line = self._lines.get(place)
        if line is None:
            account_id, _ = keyspace.parse_reference(reference)
            line = self._lines[place] = _WebhookQueue(account_id, self._limits.limiter_key(host))
        if len(line.waiting) >= MAX_WAITING:
            self._in_hand.discard(reference)
            return
        line.waiting.append((reference, receiver))
        if line.asking < AT_ONCE and line.needs_turn:
            await self._work_off(line)
            if not line.asking and not line.waiting:
                self._lines.pop(place, None)

    async def _work_off(self, line: _WebhookQueue) -> None:
        """Attempt deliveries, each in its turn, until none waits."""
        line.asking += 1
        try:
            while line.needs_turn and not self._is_draining:
                await self._attempt_next(line)
        finally:
            line.asking -= 1

    async def _attempt_next(self, line: _WebhookQueue) -> None:
        try:
            async with self._turn(line) as turn:
                if not self._is_draining:
                    await self._track(self._use(turn, line))
        except NodeFailed as error:
            logger.warning("no turn for a delivery", extra={"reason": error.message})
            await asyncio.sleep(jittered(NO_TURN_SECONDS))

    async def _track(self, attempting: Coroutine[None, None, None]) -> None:
        """Make an attempt that a drain waits for."""
        attempt = self._loop.create_task(attempting)
        self._attempting.add(attempt)
        try:
            await attempt
        finally:
            self._attempting.discard(attempt)

    @contextlib.asynccontextmanager
    async def _turn(self, line: _WebhookQueue) -> AsyncIterator[LimiterTurn]:
        async with contextlib.AsyncExitStack() as stack:
            line.ungiven += 1
            try:
                asking = self._governor.turn(line.limiter_key, line.account_id, 0, math.inf)
                turn = await stack.enter_async_context(asking)
            finally:
                line.ungiven -= 1
            yield turn

    async def _use(self, turn: LimiterTurn, line: _WebhookQueue) -> None:
        """Use a turn for the first delivery that can be claimed; others may have been by now."""
        is_used = False
        while line.waiting and not is_used:
            reference, receiver = line.waiting.popleft()
            try:
                is_used = await self._claim_and_attempt(reference, receiver, turn)
            except EngineError as error:
                logger.warning("left a delivery", extra={"reason": error.message})
            except Exception:
                logger.exception("a delivery failed unexpectedly")
            finally:
                self._in_hand.discard(reference)

    async def _claim_and_attempt(
        self, reference: str, receiver: DeliveryReceiver, turn: LimiterTurn
    ) -> bool:
        """Whether the delivery was this worker's to attempt."""
        # A claim whose reply was lost may have been made; asked again, it answers the same.
        token = secrets.token_hex(8)
        deliveries = self._store.deliveries
        claimed = await persist(lambda: deliveries.claim(reference, receiver, token), "claim")
        if claimed is None:
            return False
        attempt, judgement = await self._attempt(claimed)
        if judgement.status is DeliveryStatus.DELIVERED:
            turn.done()
        await self._settle(claimed, attempt, judgement)
        return True

    async def _settle(
        self, claimed: ClaimedDelivery, attempt: Attempt, judgement: DeliveryVerdict
    ) -> None:
        deliveries = self._store.deliveries
        settled = await persist(lambda: deliveries.settle(claimed, attempt, judgement), "settle")
        metrics.WEBHOOK_ATTEMPTS.labels(judgement.status.value).inc()
        if settled is None:
            return
        extra = {"account_id": claimed.account_id, "key_id": claimed.key_id}
        if settled.status is DeliveryStatus.FAILED:
            lost = {**extra, "delivery_id": claimed.id}
            logger.warning("a webhook was not delivered", extra=lost)
        if settled.disabled_reason:
            metrics.WEBHOOKS_DISABLED.inc()
            logger.warning("webhook disabled", extra={**extra, "reason": settled.disabled_reason})

    async def _attempt(self, claimed: ClaimedDelivery) -> tuple[Attempt, DeliveryVerdict]:
        began = time.perf_counter()
        try:
            answer = await self._egress.fetch(await self._call(claimed))
        except (_GivenUp, NodeFailed) as error:
            attempt = Attempt(at=claimed.now, duration_ms=_since(began), error=_sentence(error))
            if isinstance(error, _GivenUp):
                return attempt, DeliveryVerdict(status=DeliveryStatus.FAILED)
            return attempt, self._judge(claimed, None)
        attempt = Attempt(
            at=claimed.now,
            status=answer.status,
            duration_ms=_since(began),
            error=_refusal(answer.status),
            body=answer.body[:KEPT_ANSWER_BYTES].decode(errors="replace"),
        )
        return attempt, self._judge(claimed, answer)

    def _judge(self, claimed: ClaimedDelivery, answer: HttpAnswer | None) -> DeliveryVerdict:
        return judge(
            answer.status if answer else None,
            attempt=claimed.tries + 1,
            retry_after=answer.headers.get("retry-after") if answer else None,
            jitter=draw_jitter(),
            scale=self._scale,
        )

    async def _call(self, claimed: ClaimedDelivery) -> HttpCall:
        if claimed.is_unreadable:
            logger.error("HEADRACE_SECRET_KEY is not the one that secrets are sealed with")
            raise NodeFailed("internal_error", UNREADABLE, retryable=True)
        if not claimed.secrets:
            raise _GivenUp(DISABLED)
        if claimed.lost > MAX_LOST:
            raise _GivenUp(LOST)
        body = claimed.body or await self._body(claimed)
        signed = partial(sign, claimed.secrets, claimed.id, int(time.time()), body)
        return HttpCall(
            method="POST",
            url=claimed.url,
            headers=(("Content-Type", "application/json"),),
            body=body,
            timeout_seconds=ATTEMPT_SECONDS,
            max_bytes=MAX_ANSWER_BYTES,
            is_cut=True,
            signature=await asyncio.to_thread(signed) if len(body) > LARGE_BODY else signed(),
        )

    async def _body(self, claimed: ClaimedDelivery) -> bytes:
        head, execution_id = self._store.executions.head, claimed.execution_id or ""

        async def read() -> Execution:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    return await head(claimed.account_id, execution_id)
            except (StorageFailed, TimeoutError):
                raise NodeFailed(STORAGE, UNREAD, retryable=True) from None

        try:
            return execution_body(await persist(read, "read"), claimed.event)
        except ExecutionNotFound:
            raise _GivenUp(FORGOTTEN) from None
        except ResultGone as error:
            raise _GivenUp(error.message) from None


def _host_of(url: str) -> str:
    """The host whose load is bounded: of a URL without its port, since a machine has many."""
    try:
        return check_url(url, allow_private=True).host.rstrip(".")
    except UrlRefused:
        return ""  # it is not called


def _sentence(error: Exception) -> str:
    return error.message if isinstance(error, NodeFailed) else str(error)


def _refusal(status: int) -> str | None:
    if 200 <= status <= 299:
        return None
    if 300 <= status <= 399:
        return f"The receiver answered {status}; redirects are not followed"
    return f"The receiver answered {status}"


def _since(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)
