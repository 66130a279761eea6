"""The API key itself: how it is made, checked without a look-up, and digested.

A key is `hr_live_<43 url-safe characters>_<6-character checksum>`. It is drawn again until its
digest falls into its account's partition, so that a key alone says where its record lives; that
costs four of its 256 random bits.
"""

import hashlib
import re
import secrets
import zlib

from engine import keyspace

PREFIX = "hr_live_"
SHAPE = re.compile(r"hr_live_[A-Za-z0-9_-]{43}_[0-9a-z]{6}")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SHOWN_PREFIX = len(PREFIX) + 4


def make_secret(account_id: str) -> str:
    """A new key for the account; show it once and keep only its digest."""
    wanted = keyspace.partition_of(account_id)
    while True:
        body = PREFIX + secrets.token_urlsafe(32)
        secret = f"{body}_{_checksum(body)}"
        if partition_of(digest(secret)) == wanted:
            return secret


def is_well_formed(secret: str) -> bool:
    """Whether the key has the right shape and checksum; says nothing of whether it exists."""
    if SHAPE.fullmatch(secret) is None:
        return False
    body, _, checksum = secret.rpartition("_")
    return secrets.compare_digest(_checksum(body), checksum)


def digest(secret: str) -> str:
    """SHA-256 of the key in hex: all that is kept at rest."""
    return hashlib.sha256(secret.encode()).hexdigest()


def partition_of(digest_hex: str) -> int:
    """The partition that holds the record of the key with this digest."""
    return int(digest_hex[:4], 16) % keyspace.PARTITIONS


def shown_prefix(secret: str) -> str:
    """The first characters, which may be shown again."""
    return secret[:SHOWN_PREFIX]


def last4(secret: str) -> str:
    """The last four characters of the random part, which may be shown again."""
    return secret.rpartition("_")[0][-4:]


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, rest = divmod(number, 36)
        digits.append(DIGITS[rest])
    return "".join(reversed(digits))
