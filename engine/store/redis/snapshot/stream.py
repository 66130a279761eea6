"""Snapshot of a running server, read over the protocol of its replicas, without its files.

The server forks, and the child sends all data as an RDB file: a state that the server had, between
two commands. It answers other clients meanwhile.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import hiredis

from engine.errors import Unavailable
from engine.store.redis.connection import Connection, pack
from engine.store.redis.errors import parse_word
from engine.store.redis.snapshot.rdb import HEAD_BYTES, RdbFacts, is_rdb, parse_facts

SILENCE_SECONDS = 60.0
"""Silence after which the server counts as gone; while it prepares, it sends line breaks."""
PIECE_BYTES = 262_144
BUFFER_BYTES = 1_048_576
MARK_BYTES = 40
SIZE = re.compile(rb"\$(\d+)")
MARK = re.compile(rb"\$EOF:(.{40})")
REFUSED = (
    "The Redis does not let itself be copied ({reason}). Let this user run SYNC and REPLCONF; "
    "where a provider runs the Redis and forbids it, use the provider's own snapshots."
)


class SnapshotRefused(Exception):
    """The server refuses to be copied; the message says so, and what to do."""


class SnapshotStream:
    """RDB file that a server sends; the state in it is that of the moment when this was opened."""

    def __init__(
        self, reader: asyncio.StreamReader, transport: asyncio.Transport, size: int, mark: bytes
    ) -> None:
        self._reader = reader
        self._transport = transport
        self._rest = size
        """Bytes that are still to come; unused with a mark."""
        self._mark = mark
        """Last bytes of a file of unknown size, which are not part of it."""
        self._held = b""
        """Bytes that may be the mark."""
        self._head = b""
        self.facts = RdbFacts()

    @classmethod
    async def open(cls, connection: Connection) -> "SnapshotStream":
        """Ask the server of a connection, which is used up, for a snapshot.

        Returns once the state is fixed. Raises SnapshotRefused, or Unavailable.
        """
        try:
            await _announce(connection)
            reader = asyncio.StreamReader(BUFFER_BYTES)
            protocol = asyncio.StreamReaderProtocol(reader)
            transport = connection.hand_over(protocol)
            protocol.connection_made(transport)
            transport.write(pack("SYNC"))
            stream = await cls._begin(reader, transport)
            await stream._read_facts()
        except (ConnectionError, TimeoutError) as error:
            connection.abort()
            raise _lost() from error
        except BaseException:
            connection.abort()
            raise
        return stream

    @classmethod
    async def _begin(
        cls, reader: asyncio.StreamReader, transport: asyncio.Transport
    ) -> "SnapshotStream":
        line = b"\n"
        while line == b"\n":
            async with asyncio.timeout(SILENCE_SECONDS):
                line = await reader.readline()
        line = line.rstrip(b"\r\n")
        if size := SIZE.fullmatch(line):
            return cls(reader, transport, int(size[1]), b"")
        if mark := MARK.fullmatch(line):
            return cls(reader, transport, 0, mark[1])
        if line.startswith(b"-"):
            raise _refusal(line[1:].decode(errors="replace"))
        raise _lost() if not line else SnapshotRefused(REFUSED.format(reason="no answer to SYNC"))

    async def _read_facts(self) -> None:
        while len(self._head) < HEAD_BYTES and (piece := await self._next()):
            self._head += piece
        if not is_rdb(self._head):
            raise SnapshotRefused(REFUSED.format(reason="the answer to SYNC is no RDB file"))
        self.facts = parse_facts(self._head)

    def close(self) -> None:
        """End the connection."""
        self._transport.abort()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the file, some hundred kilobytes at a time; end the connection.

        Raises Unavailable when the connection is lost before the end of the file.
        """
        head, self._head = self._head, b""
        try:
            yield head
            while piece := await self._next():
                yield piece
        except (ConnectionError, TimeoutError) as error:
            raise _lost() from error
        finally:
            self.close()

    async def _next(self) -> bytes:
        """Return the next bytes of the file; empty at its end."""
        return await (self._next_before_mark() if self._mark else self._next_sized())

    async def _next_sized(self) -> bytes:
        piece = await self._receive(min(PIECE_BYTES, self._rest)) if self._rest else b""
        self._rest -= len(piece)
        return piece

    async def _next_before_mark(self) -> bytes:
        # Nothing follows the mark: the server sends more only to a replica that has confirmed it.
        while self._held != self._mark:
            self._held += await self._receive(PIECE_BYTES)
            piece, self._held = self._held[:-MARK_BYTES], self._held[-MARK_BYTES:]
            if piece:
                return piece
        return b""

    async def _receive(self, most: int) -> bytes:
        async with asyncio.timeout(SILENCE_SECONDS):
            piece = await self._reader.read(most)
        if not piece:
            raise ConnectionError("The connection to Redis has ended")
        return piece


async def _announce(connection: Connection) -> None:
    """Say that this client takes files of unknown size, and no changes after the file."""
    for option in (("capa", "eof"), ("rdb-only", "1")):
        try:
            await connection.request("REPLCONF", *option)
        except hiredis.ReplyError as error:
            if option[0] == "capa":  # the other one is not known everywhere
                raise _refusal(str(error)) from error


def _refusal(text: str) -> SnapshotRefused | Unavailable:
    word = parse_word(text)
    if word in ("ERR", "NOPERM", "OTHER"):
        return SnapshotRefused(REFUSED.format(reason=text.partition("\n")[0]))
    failure = Unavailable("The store cannot be copied right now")
    failure.word = word
    return failure


def _lost() -> Unavailable:
    return Unavailable("The connection to the store was lost while it was copied")
