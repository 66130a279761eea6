"""One attempt at a delivery: its signed call, and what follows from the answer."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

from engine.access.approval_links import ApprovalLinks, ApprovalPlace
from engine.errors import ExecutionNotFound, ResultGone, StorageFailed
from engine.errors.nodes import STORAGE, NodeFailed
from engine.executions.execution import Execution
from engine.executions.node_waits import NodeWait, WaitKind
from engine.executions.retry import draw_jitter
from engine.nodes.support.base import HttpAnswer, HttpCall
from engine.store import Store
from engine.store.webhooks.deliveries import ClaimedDelivery
from engine.store.webhooks.owners import is_counted
from engine.telemetry.traces.context import (
    CURRENT,
    TraceContext,
    execution_context,
    recorded_trace,
)
from engine.webhooks.deliveries import Attempt, DeliveryStatus
from engine.webhooks.events import ENDS
from engine.webhooks.payload import execution_body, node_body, started_body, waiting_body
from engine.webhooks.schedule import DeliveryVerdict, judge
from engine.webhooks.signing import sign
from engine.webhooks.wait_entries import wait_entry
from workers.outbound.client import Egress
from workers.runtime.store_retries import retry_until_answered
from workers.webhooks.delivery_spans import begin_attempt

ATTEMPT_SECONDS = 10.0
READ_SECONDS = 8.0
"""Time-out of reading the execution: with the attempt, less than the delivery's lease."""
MAX_ANSWER_BYTES = 65_536
KEPT_ANSWER_BYTES = 2_048
LARGE_BODY = 1_048_576
"""Bytes from which on signing a body must not block the event loop."""
MAX_LOST = 5
"""A delivery whose attempts were lost this often with their workers fails."""
DISABLED = "The webhook is disabled or deleted"
UNREAD = "The execution's result could not be read from where it is kept"
FORGOTTEN = "The execution is not kept any more"
LOST = "Workers died of its attempts"
UNREADABLE = "The webhook's secret could not be read"

logger = logging.getLogger(__name__)


class _GivenUp(Exception):
    """The delivery can never be sent; the message says why."""


class DeliveryAttempts:
    """Makes attempts at claimed deliveries. `scale` shortens the schedule's pauses for tests."""

    def __init__(self, store: Store, egress: Egress, links: ApprovalLinks, scale: float) -> None:
        self._store = store
        self._links = links
        self._egress = egress
        self._scale = scale

    async def attempt(self, claimed: ClaimedDelivery) -> tuple[Attempt, DeliveryVerdict]:
        """Send the delivery; return the record of the attempt and what becomes of the delivery."""
        began = time.perf_counter()
        try:
            call = await self._call(claimed)
            begin_attempt(claimed)
            answer = await self._egress.fetch(call)
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
            now=datetime.fromtimestamp(claimed.now / 1_000, UTC),
        )

    async def _call(self, claimed: ClaimedDelivery) -> HttpCall:
        if claimed.is_unreadable:
            fix = "Add the former key to HEADRACE_SECRET_KEY of all processes"
            event = "HEADRACE_SECRET_KEY is not the one that secrets are sealed with"
            logger.error(event, extra={"account_id": claimed.account_id, "fix": fix})
            raise NodeFailed("internal_error", UNREADABLE, retryable=True)
        if not claimed.secrets:
            raise _GivenUp(DISABLED)
        if claimed.lost > MAX_LOST:
            raise _GivenUp(LOST)
        body, trace = await self._content(claimed)
        CURRENT.set(trace)
        # The time is Redis's: receivers refuse others, and a worker's clock may be wrong.
        signed = partial(sign, claimed.secrets, claimed.id, claimed.now // 1000, body)
        return HttpCall(
            method="POST",
            url=claimed.url,
            headers=(("Content-Type", "application/json"),),
            body=body,
            timeout_seconds=ATTEMPT_SECONDS,
            max_bytes=MAX_ANSWER_BYTES,
            is_cut=True,
            account_id=claimed.account_id,
            is_counted=is_counted(claimed.owner),
            is_paid=True,
            tells_trace=True,
            signature=await asyncio.to_thread(signed) if len(body) > LARGE_BODY else signed(),
        )

    async def _content(self, claimed: ClaimedDelivery) -> tuple[bytes, TraceContext | None]:
        """Return the body, and the span that it tells of; None: it belongs to no trace."""
        if claimed.body:
            return claimed.body, recorded_trace(claimed.trace)
        executions, execution_id = self._store.executions, claimed.execution_id or ""
        read = executions.head if claimed.event in ENDS else executions.facts

        async def read_execution() -> Execution:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    return await read(claimed.account_id, execution_id)
            except (StorageFailed, TimeoutError):
                raise NodeFailed(STORAGE, UNREAD, retryable=True) from None

        try:
            execution = await retry_until_answered(read_execution, "read")
            return self._body(claimed, execution), execution_context(execution.trace, execution.id)
        except ExecutionNotFound:
            raise _GivenUp(FORGOTTEN) from None
        except ResultGone as error:
            raise _GivenUp(error.message) from None

    def _body(self, claimed: ClaimedDelivery, execution: Execution) -> bytes:
        if claimed.event in ENDS:
            return execution_body(execution, claimed.event, claimed.sequence)
        sequence = claimed.sequence or 1
        if claimed.wait is not None:
            waiting = self._waiting(claimed, claimed.wait, execution.id)
            return waiting_body(execution, waiting, claimed.spent, sequence)
        if claimed.node is None:
            return started_body(execution, sequence)
        return node_body(execution, claimed.node, claimed.spent, sequence)

    def _waiting(
        self, claimed: ClaimedDelivery, wait: NodeWait, execution_id: str
    ) -> dict[str, Any]:
        """Return the entry of a wait, with the link of an approval if the webhook may have it."""
        place = ApprovalPlace(claimed.account_id, wait.execution_id, wait.node_index)
        entry = wait_entry(wait, execution_id)
        if claimed.may_approve and wait.kind is WaitKind.APPROVAL:
            entry["url"] = self._links.url_of(place)
        return entry


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
