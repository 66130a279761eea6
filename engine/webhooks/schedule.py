"""Schedule of the attempts at a delivery, and the verdict on each by its answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from engine.webhooks.deliveries import DeliveryStatus

DELAYS_SECONDS = (5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0)
"""Delay after the first failed attempt, the second, and so on; after the last, it has failed."""
JITTER = 0.2
MAX_RETRY_AFTER_SECONDS = 86_400.0
FAILING_MS = 5 * 86_400_000
"""A webhook whose deliveries have all failed for this long is disabled."""
GONE = 410
GONE_REASON = "The receiver answered 410 Gone"
FAILING_REASON = "All deliveries of the last 5 days failed"


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
