"""Verification of inbound events: by a token, or a signature over the raw body.

All comparisons take a time that does not depend on the secret. A header that is to be verified
stands in the request exactly once.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from engine.triggers.trigger import SignatureEncoding, Verify, VerifyKind

MAX_AGE_SECONDS = 300
"""Longest distance of a signed time from now, in either direction."""
BEARER = re.compile(r"bearer +(.+)", re.IGNORECASE)
TIME = re.compile(r"[0-9]{1,12}")
DEFAULT_HEADER = "x-signature"
"""Header of the kind `hmac` where its settings name none."""
GITHUB_HEADER, GITHUB_PREFIX = "x-hub-signature-256", "sha256="
STRIPE_HEADER = "stripe-signature"
SLACK_HEADER, SLACK_TIME = "x-slack-signature", "x-slack-request-timestamp"
STANDARD_ID, STANDARD_TIME = "webhook-id", "webhook-timestamp"
STANDARD_HEADER = "webhook-signature"
WHSEC = "whsec_"
READ_HEADERS: Mapping[VerifyKind, tuple[str, ...]] = {
    VerifyKind.NONE: (),
    VerifyKind.BEARER: ("authorization",),
    VerifyKind.GITHUB: (GITHUB_HEADER,),
    VerifyKind.STRIPE: (STRIPE_HEADER,),
    VerifyKind.SLACK: (SLACK_HEADER, SLACK_TIME),
    VerifyKind.STANDARD_WEBHOOKS: (STANDARD_ID, STANDARD_TIME, STANDARD_HEADER),
}
"""Names of the headers that each kind reads, in lower case; `hmac` reads one of its settings."""

Headers = Iterable[tuple[bytes, bytes]]
"""Headers of a request, with their names in lower case."""


def read_headers(verify: Verify) -> tuple[str, ...]:
    """Return the names of the headers that the verification reads, in lower case."""
    if verify.kind is VerifyKind.HMAC:
        return ((verify.header or DEFAULT_HEADER).lower(),)
    return READ_HEADERS[verify.kind]


def is_verified(
    verify: Verify, secret: str | None, headers: Headers, body: bytes, now: float
) -> bool:
    """Return whether the headers prove that the body comes from a holder of the secret.

    `now` is in seconds since the epoch. Without a secret, which may have been deleted, nothing but
    the kind `none` is verified, and the refusal takes the same work.
    """
    if verify.kind is VerifyKind.NONE:
        return True
    names = read_headers(verify)
    values = [_only_value(headers, name) for name in names]
    found = [value for value in values if value is not None]
    if len(found) < len(names):
        return False
    is_right = _is_right(verify, secret or "", found, body, now)
    return is_right and bool(secret)


def _only_value(headers: Headers, name: str) -> str | None:
    key = name.encode("latin-1")
    found = [value.decode("latin-1") for each, value in headers if each == key]
    return found[0] if len(found) == 1 else None


def _is_right(verify: Verify, secret: str, values: list[str], body: bytes, now: float) -> bool:
    match verify.kind:
        case VerifyKind.BEARER:
            return _is_bearer(secret, values[0])
        case VerifyKind.HMAC:
            return _is_hmac(verify, secret.encode(), values[0], body)
        case VerifyKind.GITHUB:
            expected = GITHUB_PREFIX + _hex(secret.encode(), body)
            return _equal(expected, values[0])
        case VerifyKind.STRIPE:
            return _is_stripe(secret.encode(), values[0], body, now)
        case VerifyKind.SLACK:
            signature, at = values
            expected = "v0=" + _hex(secret.encode(), f"v0:{at}:".encode("latin-1") + body)
            return _is_near(at, now) & _equal(expected, signature)
        case VerifyKind.STANDARD_WEBHOOKS:
            return _is_standard(secret, values, body, now)
        case _:
            return False


def _is_bearer(secret: str, value: str) -> bool:
    match = BEARER.fullmatch(value.strip())
    # A secret beyond ASCII arrives as the bytes of its UTF-8, which the header's text stands for.
    presented = match[1].encode("latin-1") if match else b""
    digests = (hashlib.sha256(each).digest() for each in (secret.encode(), presented))
    return hmac.compare_digest(*digests)


def _is_hmac(verify: Verify, key: bytes, value: str, body: bytes) -> bool:
    prefix, mac = verify.prefix, _mac(key, body)
    has_prefix, presented = value.startswith(prefix), value[len(prefix) :].strip()
    if verify.encoding is SignatureEncoding.HEX:
        return has_prefix & _equal(mac.hex(), presented.lower())
    plain = presented.rstrip("=").replace("-", "+").replace("_", "/")
    return has_prefix & _equal(base64.b64encode(mac).decode().rstrip("="), plain)


def _is_stripe(key: bytes, value: str, body: bytes, now: float) -> bool:
    """Return whether one signature of the version 1 is that of the time and the body."""
    parts = [part.strip().partition("=") for part in value.split(",")]
    times = [each for name, _, each in parts if name == "t"]
    if len(times) != 1:
        return False
    expected = _hex(key, f"{times[0]}.".encode("latin-1") + body)
    matches = [_equal(expected, each) for name, _, each in parts if name == "v1"]
    return _is_near(times[0], now) & any(matches)


def _is_standard(secret: str, values: list[str], body: bytes, now: float) -> bool:
    event_id, at, signatures = values
    signed = f"{event_id}.{at}.".encode("latin-1") + body
    expected = base64.b64encode(_mac(_standard_key(secret), signed)).decode()
    parts = [each.partition(",") for each in signatures.split(" ")]
    matches = [_equal(expected, each) for version, _, each in parts if version == "v1"]
    return _is_near(at, now) & any(matches)


def _standard_key(secret: str) -> bytes:
    """Return the decoded part after `whsec_`; any other secret counts by its UTF-8 bytes."""
    if secret.startswith(WHSEC):
        with contextlib.suppress(binascii.Error, ValueError):
            decoded = base64.b64decode(secret.removeprefix(WHSEC), validate=True)
            return decoded or secret.encode()
    return secret.encode()


def _is_near(at: str, now: float) -> bool:
    return TIME.fullmatch(at) is not None and abs(now - int(at)) <= MAX_AGE_SECONDS


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _hex(key: bytes, message: bytes) -> str:
    return _mac(key, message).hex()


def _equal(expected: str, presented: str) -> bool:
    return hmac.compare_digest(expected.encode("latin-1"), presented.encode("latin-1"))
