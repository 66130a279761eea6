"""Facts at the beginning of an RDB file: the server that wrote it, and the time."""

import re
from dataclasses import dataclass

HEAD_BYTES = 128
"""Bytes from the beginning that hold the facts."""
MAGIC = re.compile(rb"(REDIS|VALKEY)(\d{3,4})")
FACT = 0xFA
VERSIONS = {"redis-ver": "redis", "valkey-ver": "valkey"}
TIME = "ctime"
ENCODED = 0xC0
"""First byte, without the lowest bits, of a text that is a number."""


@dataclass(frozen=True, slots=True)
class RdbFacts:
    """Server that wrote the file, its version, and the time in seconds; empty and 0: unknown."""

    server: str = ""
    version: str = ""
    taken_at: int = 0


def is_rdb(head: bytes) -> bool:
    """Return whether a file with this beginning is an RDB file."""
    return MAGIC.match(head) is not None


def parse_facts(head: bytes) -> RdbFacts:
    """Return the facts in the first bytes of a file, those that are there."""
    magic = MAGIC.match(head)
    facts: dict[str, str] = {}
    at = magic.end() if magic else len(head)
    try:
        while head[at] == FACT:
            name, at = _text(head, at + 1)
            facts[name], at = _text(head, at)
    except IndexError:
        pass  # the rest is beyond the head
    server = next((name for name in VERSIONS if name in facts), "")
    time = facts.get(TIME, "")
    return RdbFacts(
        server=VERSIONS.get(server, ""),
        version=facts.get(server, ""),
        taken_at=int(time) if time.isdigit() else 0,
    )


def _text(head: bytes, at: int) -> tuple[str, int]:
    """Return a short text or a number, and the place after it. Raises IndexError."""
    first = head[at]
    if first & ENCODED == ENCODED:
        size = 1 << (first & 0x3F)
        number = head[at + 1 : at + 1 + size]
        if len(number) < size or size > 4:
            raise IndexError
        return str(int.from_bytes(number, "little")), at + 1 + size
    end = at + 1 + first
    if first & ENCODED or end > len(head):
        raise IndexError
    return head[at + 1 : end].decode(errors="replace"), end
