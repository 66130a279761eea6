"""Webhooks: checks of URLs and secrets, and signatures of deliveries."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence

from engine.errors import InvalidWebhook
from engine.net.url_policy import UrlRefused, check_url
from engine.values.plain import is_text

CAPABILITY = "webhook:receive"
NO_CAPABILITY = (
    f"This key cannot have a webhook: it lacks the capability '{CAPABILITY}', and what a key may "
    "do is fixed when it is created. A key with the preset 'Run with webhooks' can."
)
"""Reason for refusing a webhook on a key."""
WHSEC = "whsec_"
MIN_SECRET, MAX_SECRET = 16, 256
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
"""Length of a decoded secret that Standard Webhooks allows."""
MAX_URL = 2_048
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Headers = tuple[tuple[str, str], ...]


def make_secret() -> str:
    """Generate a secret in the format of Standard Webhooks. Show it once."""
    return WHSEC + base64.b64encode(secrets.token_bytes(32)).decode()


def check_secret(value: object) -> str:
    """Return a secret that is a free text or has the format of Standard Webhooks.

    Raises InvalidWebhook.
    """
    if not isinstance(value, str) or not MIN_SECRET <= len(value) <= MAX_SECRET:
        raise _refused("secret", f"must be a text of {MIN_SECRET} to {MAX_SECRET} characters")
    if not is_text(value) or CONTROL.search(value):
        raise _refused("secret", "must not have control characters in it")
    if value.startswith(WHSEC) and _decoded(value) is None:
        raise _refused("secret", f"must go on in standard base64 behind '{WHSEC}'")
    return value


def check_webhook_url(value: object, *, allow_private: bool) -> str:
    """Return a URL that may be called; deliveries resolve its name. Raises InvalidWebhook."""
    if not isinstance(value, str) or len(value) > MAX_URL:
        raise _refused("url", f"must be a text of up to {MAX_URL} characters")
    try:
        target = check_url(value, allow_private=allow_private)
    except UrlRefused as error:
        raise InvalidWebhook("url", str(error)) from None
    if target.scheme != "https" and not allow_private:
        raise _refused("url", "must begin with https://")
    return value


def sign(keys: Sequence[str], delivery_id: str, timestamp: int, body: bytes) -> Headers:
    """Return the signature headers of both schemes, with one signature for each secret."""
    own = b"%d." % timestamp + body
    standard = f"{delivery_id}.{timestamp}.".encode() + body
    hexes = [hmac.new(secret.encode(), own, hashlib.sha256).hexdigest() for secret in keys]
    texts = [base64.b64encode(_mac(_standard_key(secret), standard)).decode() for secret in keys]
    return (
        ("X-Knouds-Signature", ",".join([f"t={timestamp}", *(f"v1={text}" for text in hexes)])),
        ("webhook-id", delivery_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(f"v1,{text}" for text in texts)),
    )


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _standard_key(secret: str) -> bytes:
    return (_decoded(secret) if secret.startswith(WHSEC) else None) or secret.encode()


def _decoded(secret: str) -> bytes | None:
    try:
        key = base64.b64decode(secret.removeprefix(WHSEC), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES else None


def _refused(field: str, rest: str) -> InvalidWebhook:
    return InvalidWebhook(field, f"The {'URL' if field == 'url' else field} {rest}")
