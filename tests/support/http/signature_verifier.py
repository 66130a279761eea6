"""A verifier of `X-Knouds-Signature`, written from the documentation alone."""

import hashlib
import hmac
import time


def is_knouds_signed(secret: str, header: str, body: bytes, *, tolerance: float = 300) -> bool:
    """Return whether one of the signatures is the body's and fresh."""
    pairs = [item.split("=", 1) for item in header.split(",")]
    at = next(value for name, value in pairs if name == "t")
    wanted = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    given = [value for name, value in pairs if name == "v1"]
    is_fresh = abs(time.time() - int(at)) <= tolerance
    return is_fresh and any(hmac.compare_digest(wanted, each) for each in given)
