"""How records become bytes: msgpack, opaque to every script."""

from typing import Any, cast

import msgpack

SMALL_HEADS = bytes(range(0x80, 0xC0))
"""What a small map, list or text begins with; texts beyond ASCII have such bytes as well."""
HEAD_BYTES = 100
ITEM_BYTES = 8
"""What one byte, a small number, takes in a list."""


def pack(value: Any) -> bytes:
    """The value as msgpack bytes. Raises ValueError or TypeError for what JSON has no form for."""
    return cast(bytes, msgpack.packb(value, use_bin_type=True))


def unpack(data: bytes) -> Any:
    """The value again."""
    return msgpack.unpackb(data, raw=False, strict_map_key=False)


def unpacked_size(data: bytes) -> int:
    """About the bytes that packed values take in memory once they are unpacked; rather more."""
    heads = len(data) - len(data.translate(None, delete=SMALL_HEADS))
    return len(data) * ITEM_BYTES + heads * HEAD_BYTES
