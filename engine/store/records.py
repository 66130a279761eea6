"""How records become bytes: msgpack, opaque to every script."""

from typing import Any, cast

import msgpack


def pack(value: Any) -> bytes:
    """The value as msgpack bytes. Raises ValueError or TypeError for what JSON has no form for."""
    return cast(bytes, msgpack.packb(value, use_bin_type=True))


def unpack(data: bytes) -> Any:
    """The value again."""
    return msgpack.unpackb(data, raw=False, strict_map_key=False)
