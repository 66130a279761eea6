"""Partitions: the part of the keyspace that holds all records of an account."""

import zlib

PARTITIONS = 16
"""A number for good: records of an installation stay where they were written."""


def partition_of(account_id: str) -> int:
    """Return the partition of an account, 0 to 15; it never changes."""
    return zlib.crc32(account_id.encode()) % PARTITIONS
