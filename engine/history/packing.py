"""Compressed msgpack, as the history keeps records and values."""

import zlib
from typing import Any

from engine.store.redis.record_packing import pack, unpack

LEVEL = 1
"""Level of zlib: higher ones cost several times as much and save a few percent."""


def compress(packed: bytes) -> bytes:
    """Return packed bytes in their compressed form."""
    return zlib.compress(packed, LEVEL)


def decompress(data: bytes) -> bytes:
    """Return the packed bytes of a compressed form."""
    return zlib.decompress(data)


def pack_compressed(value: Any) -> bytes:
    """Return the value as compressed msgpack."""
    return compress(pack(value))


def unpack_compressed(data: bytes) -> Any:
    """Return the value of compressed msgpack."""
    return unpack(decompress(data))
