"""Partitions: the parts of the keyspace, each with all records of its accounts.

Their number is chosen at `headrace init`, stands in the marker of the installation, and never
changes. A process learns it with its first connection to the store; until then no key of an account
can be named.
"""

import zlib

from engine.errors import Unavailable

DEFAULT_COUNT = 16
MAX_COUNT = 1_024

_count = 0
"""Number of partitions of this process's installation; 0: not known yet."""


def is_count(number: int) -> bool:
    """Return whether an installation may have this number of partitions."""
    return 1 <= number <= MAX_COUNT


def learn(number: int) -> None:
    """Set the number of partitions of this process. Raises ValueError unless it fits."""
    global _count
    if not is_count(number) or _count not in (0, number):
        raise ValueError(f"{number} partitions")
    _count = number


def known() -> int | None:
    """Return the number of partitions, None before it is known."""
    return _count or None


def count() -> int:
    """Return the number of partitions. Raises Unavailable before it is known."""
    if not _count:
        raise _unknown()
    return _count


def every() -> range:
    """Return all partitions. Raises Unavailable before their number is known."""
    return range(count())


def partition_of(account_id: str) -> int:
    """Return the partition of an account, from 0; it never changes.

    Raises Unavailable before the number of partitions is known.
    """
    try:
        return zlib.crc32(account_id.encode()) % _count
    except ZeroDivisionError:  # costs nothing once the number is known
        raise _unknown() from None


def partition_among(account_id: str, number: int) -> int:
    """Return the partition that an account has where there are so many."""
    return zlib.crc32(account_id.encode()) % number


def place(number: int) -> int:
    """Return the partition of a hash. Raises Unavailable before their number is known."""
    try:
        return number % _count
    except ZeroDivisionError:
        raise _unknown() from None


def _unknown() -> Unavailable:
    return Unavailable("The store cannot be reached right now")
