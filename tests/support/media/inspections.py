"""Inspection of whole files in pieces of any size."""

from collections.abc import AsyncIterator

from engine.media.formats import UNTYPED
from engine.media.inspector import Inspector


async def find_type(
    data: bytes, declared: str = UNTYPED, *, file_name: str = "", size: int = 65_536
) -> str:
    """Return the type of a file that comes in pieces of `size`. Raises UnfitMedia."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    inspector = Inspector(declared, 1_000_000_000, file_name=file_name)
    passed = b"".join([piece async for piece in inspector.through(pieces())])
    assert passed == data
    return inspector.known.content_type
