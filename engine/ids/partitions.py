"""Partitions: the part of the keyspace that holds all records of an account."""

import zlib

PARTITIONS = 16
"""Never change this: the records of an installation stay in the partition of their write."""


def partition_of(account_id: str) -> int:
    """Return the partition of an account, 0 to 15; it never changes."""
    return zlib.crc32(account_id.encode()) % PARTITIONS
