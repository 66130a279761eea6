"""Inflation of bodies that a server compressed although it was not asked to, within a cap."""

import zlib

MAX_MEMBERS = 1_000
"""Parts of a gzip body; each costs an inflater of its own, however little it holds."""
GZIP = 31
ZLIB = 15
BARE = -15
"""Window bits, which select zlib's format."""


class BrokenEncoding(ValueError):
    """The body does not match its content encoding."""


class InflatedTooLarge(ValueError):
    """The body would inflate to more than the cap."""


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return the body before compression. Raises BrokenEncoding and InflatedTooLarge."""
    if encoding in ("gzip", "x-gzip"):
        return _inflate(body, GZIP, max_bytes, MAX_MEMBERS)
    if encoding == "deflate":
        return _inflate(body, ZLIB if _has_zlib_header(body) else BARE, max_bytes, 1)
    raise BrokenEncoding("is in a content encoding that is not known")


def _has_zlib_header(body: bytes) -> bool:
    """Return whether a `deflate` body has its zlib header; many servers omit it."""
    return body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0


def _inflate(body: bytes, bits: int, max_bytes: int, members: int) -> bytes:
    pieces: list[bytes] = []
    bytes_left = max_bytes
    for _ in range(members):
        inflater = zlib.decompressobj(bits)
        try:
            pieces.append(inflater.decompress(body, bytes_left + 1))
        except zlib.error:
            raise BrokenEncoding("is broken") from None
        bytes_left -= len(pieces[-1])
        if bytes_left < 0:
            raise InflatedTooLarge
        if not inflater.eof:
            raise BrokenEncoding("is cut off")
        body = inflater.unused_data
        if not body:
            return b"".join(pieces)
    raise BrokenEncoding("goes on after its end")
