"""The API key itself: how it is made, checked without a look-up, and shown."""

from engine.ids import tokens
from engine.ids.partitions import partition_of

PREFIX = "hr_live_"
SHOWN_PREFIX = len(PREFIX) + 4


def make_secret(account_id: str) -> str:
    """A new key for the account; show it once and keep only its digest."""
    return tokens.make_token(PREFIX, partition_of(account_id))


def is_well_formed(secret: str) -> bool:
    """Whether the key has the right shape and checksum; says nothing of whether it exists."""
    return tokens.is_well_formed(secret, PREFIX)


def shown_prefix(secret: str) -> str:
    """The first characters, which may be shown again."""
    return secret[:SHOWN_PREFIX]


def last4(secret: str) -> str:
    """The last four characters, by which its holder knows it again."""
    return secret[-4:]
