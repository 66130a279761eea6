"""Deliveries of webhooks: payloads, retry schedule, and the meaning of an answer."""

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
"""Delay after the first failed attempt, the second, and so on; after the last, it has failed."""
JITTER = 0.2
MAX_RETRY_AFTER_SECONDS = 86_400.0
FAILING_MS = 5 * 86_400_000
"""A webhook whose deliveries have all failed for this long is disabled."""
GONE = 410
GONE_REASON = "The receiver answered 410 Gone"
FAILING_REASON = "All deliveries of the last 5 days failed"

_encode = msgspec.json.Encoder().encode


class DeliveryStatus(StrEnum):
    """Status of a delivery."""

    PENDING = "pending"
    """An attempt is due, now or later."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """No further attempt is due; a user can redeliver it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt: time (ms), status of the answer if there was one, and the start of its body."""

    at: int
    status: int | None = None
    duration_ms: int = 0
    error: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Record of one event to one webhook. Times are milliseconds since the epoch."""

    id: str
    execution_id: str | None
    event: str
    status: DeliveryStatus
    created_at: int
    next_attempt_at: int | None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryVerdict:
    """Status of a delivery after an attempt, and the delay before the next one."""

    status: DeliveryStatus
    delay_seconds: float = 0.0
    disables: str = ""
    """Reason why the webhook is disabled too; empty: it is not."""


def judge(
    status: int | None,
    *,
    attempt: int,
    retry_after: str | None = None,
    jitter: float = 0.5,
    scale: float = 1.0,
    now: datetime | None = None,
) -> DeliveryVerdict:
    """Return the verdict on an attempt (numbered from 1) by its answer's status; None: no answer.

    `jitter` is from 0 to 1; `scale` multiplies the delays of the schedule. `Retry-After` can
    only lengthen a delay.
    """
    if status is not None and 200 <= status <= 299:
        return DeliveryVerdict(status=DeliveryStatus.DELIVERED)
    if status == GONE:
        return DeliveryVerdict(status=DeliveryStatus.FAILED, disables=GONE_REASON)
    if attempt > len(DELAYS_SECONDS):
        return DeliveryVerdict(status=DeliveryStatus.FAILED)
    delay = DELAYS_SECONDS[attempt - 1] * (1 + JITTER * (2 * jitter - 1)) * scale
    requested = parse_retry_after(retry_after, now or datetime.now(UTC)) if retry_after else 0.0
    return DeliveryVerdict(status=DeliveryStatus.PENDING, delay_seconds=max(delay, requested))


def parse_retry_after(text: str, now: datetime) -> float:
    """Return the seconds of a `Retry-After` header, at most a day; 0 if it is invalid."""
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
    """Return the payload about an ended execution. Equal executions give equal bytes."""
    payload: dict[str, Any] = {
        "event": event,
        "executionId": execution.id,
        "requestId": execution.id,
        "userId": execution.account_id,
        "workflowSlug": execution.workflow_slug or None,
        "modelIds": execution.model_ids,
        "status": execution.status.value,
    }
    if execution.error is not None:
        payload["error"] = _error(execution.error)
    elif event == "execution.completed" or execution.result is not None:
        payload["result"] = execution.result
    return _encode(
        {
            **payload,
            "creditsCost": execution.credits_cost,
            "durationMs": execution.duration_ms,
            "createdAt": moment(execution.created_at),
            "completedAt": moment(execution.completed_at),
        }
    )


def example_body(delivery_id: str, account_id: str, now: int) -> bytes:
    """Return the payload of a test event, which names no real execution."""
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
