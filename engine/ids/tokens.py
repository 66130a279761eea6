"""Secrets that lead to their own record: a prefix, 43 random characters, a checksum.

A secret is drawn again until its digest falls into the partition of its account, so that it alone
says where its record lives; that costs four of its 256 random bits. Only the digest is ever kept.
"""

import hashlib
import re
import secrets
import zlib

from engine.ids.partitions import PARTITIONS

TAIL = re.compile(r"[A-Za-z0-9_-]{43}_[0-9a-z]{6}")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def make_token(prefix: str, partition: int) -> str:
    """A new secret whose record lives in the partition; show it once."""
    while True:
        body = prefix + secrets.token_urlsafe(32)
        token = f"{body}_{_checksum(body)}"
        if partition_of(digest(token)) == partition:
            return token


def is_well_formed(token: str, prefix: str) -> bool:
    """Whether the secret has the right shape and checksum; says nothing of whether it exists."""
    if not token.startswith(prefix) or TAIL.fullmatch(token, len(prefix)) is None:
        return False
    body, _, checksum = token.rpartition("_")
    return secrets.compare_digest(_checksum(body), checksum)


def digest(token: str) -> str:
    """SHA-256 of the secret in hex: all that is kept at rest."""
    return hashlib.sha256(token.encode()).hexdigest()


def partition_of(digest_hex: str) -> int:
    """The partition that holds the record of the secret with this digest."""
    return int(digest_hex[:4], 16) % PARTITIONS


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, rest = divmod(number, 36)
        digits.append(DIGITS[rest])
    return "".join(reversed(digits))
