"""Encoding of records as msgpack, opaque to every script."""

from typing import Any

import msgspec

SMALL_HEADS = bytes(range(0x80, 0xC0))
"""First bytes of small maps, lists and texts; texts beyond ASCII contain such bytes too."""
HEAD_BYTES = 100
ITEM_BYTES = 8
"""Memory of a small number in a list."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def pack(value: Any) -> bytes:
    """Return the value as msgpack. Raises TypeError, OverflowError or UnicodeEncodeError."""
    return _encode(value)


def unpack(data: bytes) -> Any:
    """Return the packed value. Raises ValueError."""
    try:
        return _decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def unpacked_size(data: bytes) -> int:
    """Return an upper estimate of the memory of packed values once unpacked."""
    heads = len(data) - len(data.translate(None, delete=SMALL_HEADS))
    return len(data) * ITEM_BYTES + heads * HEAD_BYTES
