"""Headers with which services sign their events, as their documentation and libraries do."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime

from standardwebhooks import Webhook

from engine.triggers.trigger import VerifyKind

Headers = dict[str, str]
HMAC_HEADER = "x-signature"


def bearer(secret: str) -> Headers:
    """Return the header with a token."""
    return {"authorization": f"Bearer {secret}"}


def plain_hmac(secret: str, body: bytes, header: str = HMAC_HEADER, prefix: str = "") -> Headers:
    """Return a header with the SHA-256 over the body in hex."""
    return {header: prefix + _hex(secret, body)}


def github(secret: str, body: bytes, delivery: str | None = None, event: str = "issues") -> Headers:
    """Return the headers of GitHub."""
    headers = {"x-hub-signature-256": f"sha256={_hex(secret, body)}", "x-github-event": event}
    return headers if delivery is None else {**headers, "x-github-delivery": delivery}


def stripe(secret: str, body: bytes, at: float | None = None) -> Headers:
    """Return the header of Stripe."""
    now = _seconds(at)
    return {"stripe-signature": f"t={now},v1={_hex(secret, b'%d.' % now + body)}"}


def slack(secret: str, body: bytes, at: float | None = None) -> Headers:
    """Return the headers of Slack."""
    now = _seconds(at)
    signature = _hex(secret, b"v0:%d:" % now + body)
    return {"x-slack-request-timestamp": str(now), "x-slack-signature": f"v0={signature}"}


def standard(secret: str, body: bytes, event_id: str = "msg_1", at: float | None = None) -> Headers:
    """Return the headers of Standard Webhooks, made by its library."""
    now = _seconds(at)
    key = secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()
    signature = Webhook(key).sign(event_id, datetime.fromtimestamp(now, UTC), body.decode())
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(now),
        "webhook-signature": signature,
    }


def signed(kind: VerifyKind, secret: str, body: bytes, at: float | None = None) -> Headers:
    """Return the headers of a kind with which a body is verified."""
    match kind:
        case VerifyKind.BEARER:
            return bearer(secret)
        case VerifyKind.HMAC:
            return plain_hmac(secret, body)
        case VerifyKind.GITHUB:
            return github(secret, body)
        case VerifyKind.STRIPE:
            return stripe(secret, body, at)
        case VerifyKind.SLACK:
            return slack(secret, body, at)
        case VerifyKind.STANDARD_WEBHOOKS:
            return standard(secret, body, at=at)
        case VerifyKind.NONE:
            return {}


def _seconds(at: float | None) -> int:
    return int(time.time() if at is None else at)


def _hex(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
