"""API keys: generation, offline check of the format, and the parts that may be displayed."""

from engine.ids import tokens
from engine.ids.partitions import partition_of

PREFIX = "hr_live_"
SHOWN_PREFIX = len(PREFIX) + 4


def make_secret(account_id: str) -> str:
    """Generate a key for an account. Show it once and store only its digest."""
    return tokens.make_token(PREFIX, partition_of(account_id))


def is_well_formed(secret: str) -> bool:
    """Return True if the format and checksum of a key are right; the key may not exist."""
    return tokens.is_well_formed(secret, PREFIX)


def shown_prefix(secret: str) -> str:
    """Return the first characters of a key, which may be displayed."""
    return secret[:SHOWN_PREFIX]


def last4(secret: str) -> str:
    """Return the last four characters of a key, by which its owner recognises it."""
    return secret[-4:]
