"""Encoding of records as msgpack, opaque to every script."""

from typing import Any, cast

import msgpack

SMALL_HEADS = bytes(range(0x80, 0xC0))
"""First bytes of small maps, lists and texts; texts beyond ASCII contain such bytes too."""
HEAD_BYTES = 100
ITEM_BYTES = 8
"""Memory of a small number in a list."""


def pack(value: Any) -> bytes:
    """Return the value as msgpack. Raises ValueError or TypeError for values that JSON lacks."""
    return cast(bytes, msgpack.Packer(use_bin_type=True).pack(value))


def unpack(data: bytes) -> Any:
    """Return the packed value."""
    return msgpack.unpackb(data, raw=False, strict_map_key=False)


def unpacked_size(data: bytes) -> int:
    """Return an upper estimate of the memory of packed values once unpacked."""
    heads = len(data) - len(data.translate(None, delete=SMALL_HEADS))
    return len(data) * ITEM_BYTES + heads * HEAD_BYTES
