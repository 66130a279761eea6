"""List of the objects in a media store, which a backup names and does not hold."""

from collections.abc import Iterator
from typing import IO

import msgspec

from engine.media.objects import ObjectStore


class MediaObject(msgspec.Struct):
    """Name and size of an object, one line of the list."""

    name: str
    bytes: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(MediaObject).decode


def pack_objects(objects: list[MediaObject]) -> bytes:
    """Return the lines of objects."""
    return b"".join(_encode(each) + b"\n" for each in objects)


def read_objects(stream: IO[bytes]) -> Iterator[MediaObject]:
    """Yield the objects of a list."""
    return map(_decode, stream)


async def count_missing(listed: IO[bytes], store: ObjectStore) -> int:
    """Return how many listed objects a store lacks, or has with another size."""
    there: set[int] = set()  # hashes of names and sizes, since there may be millions
    async for part in store.sizes():
        there.update(map(hash, part))
    return sum(hash((each.name, each.bytes)) not in there for each in read_objects(listed))
