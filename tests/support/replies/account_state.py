"""All that Redis holds of an account, without ids and times."""

import contextlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from engine.store.redis.client import Client

READS: dict[bytes, tuple[str | int, ...]] = {
    b"string": ("GET",),
    b"stream": ("XRANGE", "-", "+"),
    b"hash": ("HGETALL",),
    b"set": ("SMEMBERS",),
    b"list": ("LRANGE", 0, -1),
    b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
}
MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\{hr\d+\}", "{hr}"),
        (r"\bflow-[0-9a-f]{8}(-\d+)?\b", "<slug>"),
        (r"\bFlow [0-9a-f]{8}\b", "<name>"),
        (r"\[(\d+), (\d+), (-?\d+), -?\d+\]", r"[\1, \2, <offset>, <ms>]"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
        (r"(?<![a-z])(key|asset|trg|occ|bat|ses)_[0-9A-Za-z]{8,}", r"<\1>"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>"),
        (r"https?://127\.0\.0\.1:\d+", "<url>"),
        (r"\b1[789]\d{11}(\.\d+(?![\w-]))?(-\d+)?(, \d+)?", "<time>"),
        (r"(?<=asset:)[\w-]{24}|(?<=/media/)[\w-]{24}|(?<=<time>\.)[\w-]{24}", "<asset>"),
        (r" runs \d{5}:", " runs <day>:"),
        (r"expires=\d+", "expires=<time>"),
        (r"'(prefix|last4)': '[^']*'", r"'\1': <key>"),
        (r"(duration_ms|durationMs|p50Ms|p95Ms|ms)(['\"]?: ?)[\d.]+", r"\1\2<ms>"),
        (r"(:idempotency:\S+ answer) \d+", r"\1 <ms>"),
        (r"(:[cl]):\d+ \d+$", r"\1:<bucket>"),
        (r"\bvm-\d+-[0-9a-f]+", "<worker>"),
        (r"(?<![0-9A-Za-z])[0-9a-f]{12,}(?![0-9A-Za-z])", "<hex>"),
    )
]

PASSING = re.compile(r"<bucket>$|:<id>(:\d+)? feeder(_until)? | events \d+$")
"""Buckets of durations, leases of feeders, which lapse, and events, which begin at a look."""
LEFT_OUT = (b":windows", b":outbound:", b":key_uses", b":session_record", b":session:", b":events:")
"""Counts of calls, to which a repetition is added, and times of uses."""


async def account_state(client: Client, account_id: str) -> Counter[str]:
    """Return how often each entry of an account occurs, by key, field and value."""
    rows: list[str] = []
    own = account_id.encode()
    for key in await client.send("KEYS", "*"):
        if any(each in key for each in LEFT_OUT):
            continue
        kind = await client.send("TYPE", key)
        if kind == b"none":
            continue
        command, *rest = READS[kind]
        value = await client.send(command, key, *rest)
        rows += [
            mask(" ".join([_text(key), *(_text(each) for each in entry)]))
            for entry in _entries(kind, value)
            if own in key or any(own in each for each in entry if isinstance(each, bytes))
        ]
    return Counter(row for row in rows if not PASSING.search(row))


def _entries(kind: bytes, value: Any) -> Iterable[tuple[Any, ...]]:
    match kind:
        case b"hash":
            return list(value.items())
        case b"stream":
            return [tuple(fields) for _, fields in value]
        case b"zset":
            return [tuple(each) for each in value]
        case b"string":
            return [(value,)]
        case _:
            return [(each,) for each in value]


def _text(value: Any) -> str:
    """Return a value as a text without ids and times."""
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return _packed(value)
        if text.isprintable() or "\n" in text:
            return mask(text)
        return _packed(value)
    return mask(repr(value))


def _packed(value: bytes) -> str:
    """Return a value of msgpack, or one after a text, as a text."""
    for mark in (b"", b"|", b":"):
        head, _, rest = value.partition(mark) if mark else (b"", b"", value)
        if not head.isascii():
            continue
        with contextlib.suppress(msgspec.MsgspecError, ValueError, TypeError):
            found = msgspec.msgpack.decode(rest)
            if isinstance(found, dict | list):
                return mask(f"{head.decode()}{mark.decode()}{found!r}")
    return f"<{len(value)} bytes>"


def mask(text: str) -> str:
    """Replace ids and times."""
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text
