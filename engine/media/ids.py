"""Ids of assets: random, and encoding the partition of their record."""

import re
import secrets
from typing import TypeGuard

from engine.ids.partitions import partition_of

ID_BYTES = 18
"""Length of an id; the partition uses at most 10 bits, and more than 128 stay unguessable."""
PATTERN = "[A-Za-z0-9_-]{24}"
_FULL = re.compile(PATTERN)


def make_asset_id(account_id: str) -> str:
    """Generate an id that falls into the account's partition."""
    partition = partition_of(account_id)
    while True:
        asset_id = secrets.token_urlsafe(ID_BYTES)
        if partition_of(asset_id) == partition:
            return asset_id


def object_key(asset_id: str) -> str:
    """Return the key of an asset's bytes in the object store."""
    return f"{asset_id[:2]}/{asset_id}"


def is_asset_id(value: object) -> TypeGuard[str]:
    """Return True if the value has the format of an asset id."""
    return isinstance(value, str) and _FULL.fullmatch(value) is not None
