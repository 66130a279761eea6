"""Secret tokens that encode the partition of their record: prefix, 43 random characters, checksum.

A token is drawn until its digest falls into the partition of its account, so the token alone
locates its record; that costs at most 10 of its 256 random bits. Only the digest is stored.
"""

import hashlib
import re
import secrets
import zlib

from engine.ids.partitions import place

TAIL = re.compile(r"[A-Za-z0-9_-]{43}_[0-9a-z]{6}")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def make_token(prefix: str, partition: int) -> str:
    """Generate a token whose record belongs to the partition. Show it once."""
    while True:
        body = prefix + secrets.token_urlsafe(32)
        token = f"{body}_{_checksum(body)}"
        if partition_of(digest(token)) == partition:
            return token


def is_well_formed(token: str, prefix: str) -> bool:
    """Return True if the format and checksum of a token are right; the token may not exist."""
    if not token.startswith(prefix) or TAIL.fullmatch(token, len(prefix)) is None:
        return False
    body, _, checksum = token.rpartition("_")
    return secrets.compare_digest(_checksum(body), checksum)


def digest(token: str) -> str:
    """Return the SHA-256 of a token in hex, the only form that is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def partition_of(digest_hex: str) -> int:
    """Return the partition that holds the record of the token with this digest."""
    return place(int(digest_hex[:4], 16))


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, rest = divmod(number, 36)
        digits.append(DIGITS[rest])
    return "".join(reversed(digits))
