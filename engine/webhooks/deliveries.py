"""Deliveries of webhooks: what is sent, when it is sent again, and what an answer means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import msgspec

from engine.executions.execution import Execution
from engine.values.plain import moment

TEST_EVENT = "webhook.test"
DELAYS_SECONDS = (5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0)
"""The pause behind the first failed attempt, the second, and so on; then it is given up."""
JITTER = 0.2
MAX_RETRY_AFTER_SECONDS = 86_400.0
FAILING_MS = 5 * 86_400_000
"""A webhook that did nothing but fail for so long is disabled."""
GONE = 410
GONE_REASON = "The receiver answered 410 Gone"
FAILING_REASON = "All deliveries of the last 5 days failed"

_encode = msgspec.json.Encoder().encode


class DeliveryStatus(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    """To be attempted, now or when its next attempt is due."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up; it can be redelivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: when (ms), the receiver's status if it gave one, and the head of its answer."""

    at: int
    status: int | None = None
    duration_ms: int = 0
    error: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event to one webhook, as it is on record. Times are milliseconds since the epoch."""

    id: str
    execution_id: str | None
    event: str
    status: DeliveryStatus
    created_at: int
    next_attempt_at: int | None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of a delivery after an attempt; `delay_seconds` when it is tried again."""

    status: DeliveryStatus
    delay_seconds: float = 0.0
    disables: str = ""
    """Why the webhook is disabled as well; empty: it is not."""


def judge(
    status: int | None,
    *,
    attempt: int,
    retry_after: str | None = None,
    jitter: float = 0.5,
    scale: float = 1.0,
    now: datetime | None = None,
) -> Judgement:
    """What an answer means (None: there was none) to the attempt of that number, from 1.

    `jitter` from 0 to 1 is drawn by the caller; `scale` multiplies the schedule's pauses. The
    server's `Retry-After` can only put off.
    """
    if status is not None and 200 <= status <= 299:
        return Judgement(status=DeliveryStatus.DELIVERED)
    if status == GONE:
        return Judgement(status=DeliveryStatus.FAILED, disables=GONE_REASON)
    if attempt > len(DELAYS_SECONDS):
        return Judgement(status=DeliveryStatus.FAILED)
    delay = DELAYS_SECONDS[attempt - 1] * (1 + JITTER * (2 * jitter - 1)) * scale
    asked = parse_retry_after(retry_after, now or datetime.now(UTC)) if retry_after else 0.0
    return Judgement(status=DeliveryStatus.PENDING, delay_seconds=max(delay, asked))


def parse_retry_after(text: str, now: datetime) -> float:
    """The seconds that a `Retry-After` asks for, at most a day; 0 for what is not one."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)


def execution_body(execution: Execution, event: str) -> bytes:
    """What a receiver is told of an execution that has ended: the same bytes every time."""
    told: dict[str, Any] = {
        "event": event,
        "executionId": execution.id,
        "requestId": execution.id,
        "userId": execution.account_id,
        "workflowSlug": execution.workflow_slug or None,
        "modelIds": execution.model_ids,
        "status": execution.status.value,
    }
    if execution.error is not None:
        told["error"] = _error(execution.error)
    elif event == "execution.completed" or execution.result is not None:
        told["result"] = execution.result
    return _encode(
        {
            **told,
            "creditsCost": execution.credits_cost,
            "durationMs": execution.duration_ms,
            "createdAt": moment(execution.created_at),
            "completedAt": moment(execution.completed_at),
        }
    )


def example_body(delivery_id: str, account_id: str, now: int) -> bytes:
    """What a receiver is told for a test; there is no such execution."""
    return _encode(
        {
            "event": TEST_EVENT,
            "executionId": delivery_id,
            "requestId": delivery_id,
            "userId": account_id,
            "workflowSlug": None,
            "modelIds": [],
            "status": "completed",
            "result": {"text": "This is a test of your webhook."},
            "creditsCost": 0,
            "durationMs": 0,
            "createdAt": moment(now),
            "completedAt": moment(now),
        }
    )


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    return {name: error[name] for name in ("code", "message") if name in error}
