"""Idempotency keys: what a caller sends so that a call which is repeated runs once."""

import hashlib
import re
from dataclasses import dataclass

from engine.errors import InvalidIdempotencyKey

QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
VISIBLE = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """A call that is to run once: the name of its record, and what its body was."""

    digest: str
    """Of method, path and key."""
    fingerprint: str
    """Of the body's bytes."""


def make_idempotency_key(method: str, path: str, header: str, body: bytes) -> IdempotencyKey:
    """The call with this `Idempotency-Key`. Raises InvalidIdempotencyKey."""
    name = "\n".join((method, path, parse_key(header)))
    return IdempotencyKey(
        digest=hashlib.sha256(name.encode()).hexdigest(),
        fingerprint=hashlib.sha256(body).hexdigest(),
    )


def parse_key(header: str) -> str:
    """The key, which may come bare or as a quoted string. Raises InvalidIdempotencyKey."""
    text = header.strip(" \t")
    match = QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", match[1]) if match else text
    if VISIBLE.fullmatch(key) is None or (match is None and text.startswith('"')):
        raise InvalidIdempotencyKey
    return key
