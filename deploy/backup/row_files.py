"""Rows of tables as bytes: msgpack arrays, each after its length; the first has the columns."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import msgspec

from deploy.output.problems import CommandFailed

LENGTH = struct.Struct(">I")

Row = Sequence[Any]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode


def pack_rows(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the columns and the rows, one at a time."""
    yield _pack(columns)
    for row in rows:
        yield _pack(row)


def read_rows(stream: IO[bytes]) -> tuple[Sequence[str], Iterator[Row]]:
    """Return the columns and the rows of a stream. Raises CommandFailed where it ends too soon."""
    rows = _unpack(stream)
    columns = next(rows, None)
    if columns is None:
        raise CommandFailed("The backup has a table without columns.")
    return columns, rows


def _pack(row: Row) -> bytes:
    data = _encode(row)
    return LENGTH.pack(len(data)) + data


def _unpack(stream: IO[bytes]) -> Iterator[Row]:
    while head := stream.read(LENGTH.size):
        size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else -1
        data = stream.read(size) if size >= 0 else b""
        if len(data) != size:
            raise CommandFailed("The backup has a table that ends in the middle of a row.")
        yield _decode(data)
