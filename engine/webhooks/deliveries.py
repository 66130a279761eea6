"""Records of deliveries and of their attempts."""

from dataclasses import dataclass
from enum import StrEnum


class DeliveryStatus(StrEnum):
    """Status of a delivery."""

    PENDING = "pending"
    """An attempt is due, now or later."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """No further attempt is due; a user can redeliver it."""

    @classmethod
    def parse(cls, text: str) -> "DeliveryStatus":
        """Return the status on record; PENDING for one of a later release, which goes on."""
        return cls(text) if text in tuple(cls) else cls.PENDING


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
    owner: str
    """Owner of the webhook: an API key, or a run or a batch."""
    url: str
    execution_id: str | None
    event: str
    status: DeliveryStatus
    created_at: int
    next_attempt_at: int | None
    attempts: tuple[Attempt, ...] = ()
    batch_id: str | None = None
    """Batch whose end it is about; None: it is about none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Conditions on the deliveries of an account, all of them; None stands for any value."""

    owner: str | None = None
    """Owner of the webhook."""
    execution_id: str | None = None
    status: DeliveryStatus | None = None
