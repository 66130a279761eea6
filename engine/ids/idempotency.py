"""Idempotency keys: a call that is repeated with the same key runs once."""

import hashlib
import re
from dataclasses import dataclass

from engine.errors import InvalidIdempotencyKey

QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
VISIBLE = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """Name of the record of a call that runs once, and fingerprint of its body."""

    digest: str
    """SHA-256 of method, path and key, in hex."""
    fingerprint: str
    """SHA-256 of the body, in hex."""


def make_idempotency_key(method: str, path: str, header: str, body: bytes) -> IdempotencyKey:
    """Return the key of a call with this `Idempotency-Key`. Raises InvalidIdempotencyKey."""
    name = "\n".join((method, path, parse_key(header)))
    return IdempotencyKey(
        digest=hashlib.sha256(name.encode()).hexdigest(),
        fingerprint=hashlib.sha256(body).hexdigest(),
    )


def parse_key(header: str) -> str:
    """Parse a bare or quoted key from the header. Raises InvalidIdempotencyKey."""
    text = header.strip(" \t")
    match = QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", match[1]) if match else text
    if VISIBLE.fullmatch(key) is None or (match is None and text.startswith('"')):
        raise InvalidIdempotencyKey
    return key
