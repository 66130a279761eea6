"""Copy of all keys of one server to another, by their contents.

DUMP and RESTORE would bind both servers to one format: Valkey 9 and Redis 8 refuse each other's.
Large values go in parts, so that both servers and this process hold little of them at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from engine.store.redis.connection import Argument

KEYS_AT_ONCE = 200
"""Keys that are listed together."""
COPIES_AT_ONCE = 32
"""Keys that are copied together: a value, or a part of one, is in memory for each."""
ITEMS_AT_ONCE = 500
"""Fields, members or entries of one command."""
NO_KEY, NO_EXPIRY = -2, -1
FIRST_ID = b"0-1"


class Sender(Protocol):
    """Client of Redis that sends the commands of one loop tick together."""

    def send(self, *command: Argument) -> "asyncio.Future[Any]":
        """Queue a command and return the future of its reply."""
        ...


class UnknownKind(Exception):
    """A key has a type that is not copied; the message names both."""


class KeyCopier:
    """Copies keys from a server at rest to another one, where they must not exist yet."""

    def __init__(self, source: Sender, target: Sender) -> None:
        self._source = source
        self._client = target
        """Client of the target."""
        self._places = asyncio.Semaphore(COPIES_AT_ONCE)
        self._copiers = {
            b"string": self._copy_string,
            b"hash": self._copy_hash,
            b"set": self._copy_set,
            b"zset": self._copy_sorted_set,
            b"list": self._copy_list,
            b"stream": self._copy_stream,
        }

    async def copy_all(
        self, is_wanted: Callable[[bytes], bool], report: Callable[[int], None] = lambda _: None
    ) -> int:
        """Copy the wanted keys with their expiries; return their number.

        `report` gets the number after each part. Raises UnknownKind, Unavailable or StoreFull.
        """
        count = 0
        async for keys in self._keys():
            wanted = [key for key in keys if is_wanted(key)]
            count += sum(await asyncio.gather(*(self._copy(key.decode()) for key in wanted)))
            report(count)
        return count

    async def _keys(self) -> AsyncIterator[Sequence[bytes]]:
        cursor = b"0"
        while True:
            cursor, keys = await self._source.send("SCAN", cursor, "COUNT", KEYS_AT_ONCE)
            yield list(dict.fromkeys(keys))
            if cursor == b"0":
                return

    async def _copy(self, key: str) -> bool:
        """Copy one key; False if it has expired meanwhile."""
        async with self._places:
            return await self._copy_here(key)

    async def _copy_here(self, key: str) -> bool:
        kind, expires_at = await asyncio.gather(
            self._source.send("TYPE", key), self._source.send("PEXPIRETIME", key)
        )
        if expires_at == NO_KEY:
            return False
        copier = self._copiers.get(bytes(kind))
        if copier is None:
            raise UnknownKind(f"{key} is a {kind.decode()}")
        await copier(key)
        if expires_at != NO_EXPIRY:
            await self._client.send("PEXPIREAT", key, expires_at)
        return True

    async def _copy_string(self, key: str) -> None:
        value = await self._source.send("GET", key)
        if value is not None:
            await self._client.send("SET", key, value)

    async def _copy_hash(self, key: str) -> None:
        async for items in self._scan("HSCAN", key):
            await self._client.send("HSET", key, *items)

    async def _copy_set(self, key: str) -> None:
        async for members in self._scan("SSCAN", key):
            await self._client.send("SADD", key, *members)

    async def _copy_sorted_set(self, key: str) -> None:
        async for items in self._scan("ZSCAN", key):
            pairs = zip(items[1::2], items[::2], strict=True)
            await self._client.send("ZADD", key, *(word for pair in pairs for word in pair))

    async def _scan(self, command: str, key: str) -> AsyncIterator[Sequence[bytes]]:
        cursor = b"0"
        while True:
            cursor, items = await self._source.send(command, key, cursor, "COUNT", ITEMS_AT_ONCE)
            for start in range(0, len(items), 2 * ITEMS_AT_ONCE):
                yield items[start : start + 2 * ITEMS_AT_ONCE]
            if cursor == b"0":
                return

    async def _copy_list(self, key: str) -> None:
        start = 0
        while items := await self._source.send("LRANGE", key, start, start + ITEMS_AT_ONCE - 1):
            await self._client.send("RPUSH", key, *items)
            start += len(items)

    async def _copy_stream(self, key: str) -> None:
        """Copy the entries, and the ids that the stream has used: no id may be used again."""
        info = _pairs(await self._source.send("XINFO", "STREAM", key))
        first = b"-"
        while entries := await self._source.send("XRANGE", key, first, "+", "COUNT", ITEMS_AT_ONCE):
            await asyncio.gather(
                *(self._client.send("XADD", key, entry_id, *fields) for entry_id, fields in entries)
            )
            first = b"(" + entries[-1][0]
        last = bytes(info["last-generated-id"])
        if first == b"-":  # an empty stream still has its last id
            at = FIRST_ID if last == b"0-0" else last
            await self._client.send("XADD", key, "MAXLEN", 0, at, "made", "empty")
        await self._client.send(
            *("XSETID", key, last, "ENTRIESADDED", info["entries-added"]),
            *("MAXDELETEDID", info["max-deleted-entry-id"]),
        )


def _pairs(reply: Any) -> dict[str, Any]:
    """Return the fields of a reply that is a map or, of older protocols, a list."""
    items = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
    return {bytes(name).decode(): value for name, value in items}
