"""Webhooks: verified, and read as typed events."""

import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from standardwebhooks.webhooks import Webhook

from headrace_client.core.decoding import decode
from headrace_client.errors import WebhookVerificationError
from headrace_client.models import BatchCounts, RunFailure, Wait

GENERATED = "whsec_"
STANDARD = "webhook-signature"
KNOUDS = "x-knouds-signature"
TOLERANCE_SECONDS = 300
ENVIRON = "http_"
"""Beginning of the names of headers in the environment of WSGI and CGI, in lower case."""
REFUSED = "The signature of the webhook does not fit its body and the secret"


class HeaderPairs(Protocol):
    """Headers with `items`, as most frameworks have them."""

    def items(self) -> Iterable[tuple[Any, Any]]:
        """Return names and values."""
        ...


Headers = HeaderPairs | Iterable[tuple[str | bytes, str | bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """A verified webhook. `raw` has all its members."""

    event: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFinished:
    """The node that a `node.finished` is about."""

    id: str
    type: str
    status: str
    credits_cost: float = 0
    duration_ms: int | None = None
    error: RunFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionWebhook(WebhookEvent):
    """An event of a run: `execution.started`, `execution.waiting`, its end, or `node.finished`."""

    execution_id: str
    status: str | None = None
    workflow_slug: str | None = None
    result: Any = None
    error: RunFailure | None = None
    node: NodeFinished | None = None
    waiting: Wait | None = None
    """With `execution.waiting`; it has a `url` by the right of the setter of the webhook."""
    tags: tuple[str, ...] = ()
    sequence: int | None = None
    credits_cost: float = 0
    duration_ms: int | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    model_ids: tuple[str, ...] = ()
    request_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchWebhook(WebhookEvent):
    """`batch.completed` or `batch.cancelled`."""

    batch_id: str
    status: str
    counts: BatchCounts
    workflow_slug: str | None = None
    credits_cost: float = 0
    tags: tuple[str, ...] = ()
    created_at: datetime | None = None
    completed_at: datetime | None = None


def verify_webhook(body: bytes | str, headers: Headers, secret: str) -> WebhookEvent:
    """Check the signature of a webhook and return its event.

    `body` is the raw body, not parsed and written again. `headers` are those of any framework: a
    mapping, pairs of texts or bytes as of ASGI, or the environment of WSGI. Raises
    WebhookVerificationError when the signature is missing, wrong, or over 300 seconds old, and
    UnexpectedAnswerError for an event that this version of the client cannot read.
    """
    if not secret:
        raise WebhookVerificationError("The secret of the webhook is empty")
    data = body.encode() if isinstance(body, str) else bytes(body)
    found = read_headers(headers)
    if STANDARD in found:
        _verify_standard(data, found, secret)
    elif KNOUDS in found:
        _verify_knouds(data, found[KNOUDS], secret)
    else:
        raise WebhookVerificationError("The request has no signature of a webhook")
    return _read_event(data)


def read_headers(headers: Headers) -> dict[str, str]:
    """Return headers by their names in lower case, whatever framework they are of."""
    given: Any = headers
    pairs = given.items() if hasattr(given, "items") else given
    found: dict[str, str] = {}
    for name, value in pairs:
        plain = _text(name).lower()
        if plain.startswith(ENVIRON):
            plain = plain.removeprefix(ENVIRON).replace("_", "-")
        if isinstance(value, (list, tuple)):  # as Node and multi-dictionaries have them
            value = value[0] if value else ""
        if isinstance(value, (str, bytes)):
            found[plain] = _text(value)
    return found


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _verify_standard(data: bytes, headers: Mapping[str, str], secret: str) -> None:
    try:
        webhook = Webhook(secret if secret.startswith(GENERATED) else secret.encode())
        webhook.verify(data, dict(headers), json_parse=False)
    except Exception as error:  # of the library, or of values that it does not expect
        raise WebhookVerificationError(REFUSED) from error


def _verify_knouds(data: bytes, header: str, secret: str) -> None:
    """Check the signature keyed with the whole secret as it is written."""
    pairs = [each.strip().partition("=") for each in header.split(",")]
    at = next((value for name, _, value in pairs if name == "t"), "")
    is_fresh = at.isascii() and at.isdigit() and abs(time.time() - int(at)) <= TOLERANCE_SECONDS
    wanted = hmac.new(secret.encode(), at.encode() + b"." + data, hashlib.sha256).hexdigest()
    given = [value.encode() for name, _, value in pairs if name == "v1"]
    if not is_fresh or not any(hmac.compare_digest(wanted.encode(), each) for each in given):
        raise WebhookVerificationError(REFUSED)


def _read_event(data: bytes) -> WebhookEvent:
    members: Any = None
    with contextlib.suppress(ValueError):
        members = json.loads(data)
    if not isinstance(members, dict):
        raise WebhookVerificationError("The body of the webhook is not a JSON object")
    kind: type[WebhookEvent] = WebhookEvent
    if "batchId" in members and str(members.get("event")).startswith("batch."):
        kind = BatchWebhook
    elif "executionId" in members:
        kind = ExecutionWebhook
    return decode(kind, members)
