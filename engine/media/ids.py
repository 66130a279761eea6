"""Ids of assets: random, and telling where their record is."""

import re
import secrets
from typing import TypeGuard

from engine.ids.partitions import partition_of

ID_BYTES = 18
"""A partition takes four bits, and 128 and more are left that nobody can guess."""
PATTERN = "[A-Za-z0-9_-]{24}"
_FULL = re.compile(PATTERN)


def make_asset_id(account_id: str) -> str:
    """A new id, drawn until it falls into the account's partition, so that it leads there."""
    partition = partition_of(account_id)
    while True:
        asset_id = secrets.token_urlsafe(ID_BYTES)
        if partition_of(asset_id) == partition:
            return asset_id


def is_asset_id(value: object) -> TypeGuard[str]:
    """Whether it has the form of an asset's id."""
    return isinstance(value, str) and _FULL.fullmatch(value) is not None
