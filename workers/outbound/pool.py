"""Pool of outbound connections: kept by account and origin, bounded for each account and in all."""

import asyncio
import contextlib
import resource
from typing import NamedTuple

from engine.process.account_semaphore import AccountSemaphore
from workers.outbound.connecting import Connector, Origin
from workers.outbound.connection import OutboundConnection

KEEP_ALIVE_SECONDS = 4.0
"""Shorter than the five seconds after which common servers close an idle connection."""
MAX_CONNECTIONS = 8_192
"""In use at a time."""
RESERVED_FILES = 256
ACCOUNT_IN_USE = 3 / 4
"""Largest share of one account."""
KEPT = 1 / 4
ACCOUNT_KEPT = 1 / 8
"""Idle connections of all accounts, and of one, as shares of those that may be in use."""
CLOSE_SECONDS = 1.0


class PoolKey(NamedTuple):
    """Whose calls, and whereto, a connection serves; no others'."""

    account_id: str
    """Empty: calls of no account."""
    origin: Origin


class ConnectionPool:
    """Hands out connections, and keeps for a while those that may take another call."""

    def __init__(self, connector: Connector, limit: int | None = None) -> None:
        self._limit = limit or _connection_limit()
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self._slots = AccountSemaphore(self._limit, max(1, int(self._limit * ACCOUNT_IN_USE)))
        self._keys: dict[OutboundConnection, PoolKey] = {}
        """Of all connections that are open."""
        self._idle: dict[PoolKey, dict[OutboundConnection, None]] = {}
        """By key, the one that was used last at the end."""
        self._kept: dict[OutboundConnection, float] = {}
        """Times since which the idle ones are kept, the oldest first."""
        self._kept_of: dict[str, int] = {}
        """Idle connections by account."""
        self._expiring: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None

    async def take(self, key: PoolKey) -> OutboundConnection:
        """Return a connection, which must be given back. Raises OSError."""
        if not self._slots.try_acquire(key.account_id):
            await self._slots.acquire(key.account_id)
        try:
            return self._take_kept(key) or await self._connect(key)
        except BaseException:
            self._slots.release(key.account_id)
            raise

    def give_back(self, connection: OutboundConnection, key: PoolKey, *, is_done: bool) -> None:
        """End the connection's call, and keep it if `is_done` and it may take another one."""
        may_keep = connection.finish() and is_done
        if may_keep and self._kept_of.get(key.account_id, 0) < self._limit * ACCOUNT_KEPT:
            self._keep(connection, key)
        else:
            connection.close()
        self._slots.release(key.account_id)

    async def close(self) -> None:
        """Close all connections, idle or in use."""
        if self._expiring is not None:
            self._expiring.cancel()
        for connection in list(self._keys):
            connection.close()
        if self._keys:
            self._emptied = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), CLOSE_SECONDS)

    async def _connect(self, key: PoolKey) -> OutboundConnection:
        connection = await self._connector.connect(key.origin, key.account_id, self._forget)
        if connection.connected:
            self._keys[connection] = key
        return connection

    def _take_kept(self, key: PoolKey) -> OutboundConnection | None:
        """Return the connection that was used last, of those that nothing has come on."""
        while key in self._idle:
            connection = next(reversed(self._idle[key]))
            self._drop(connection, key)
            if connection.is_usable:
                return connection
            connection.close()
        return None

    def _keep(self, connection: OutboundConnection, key: PoolKey) -> None:
        if len(self._kept) >= self._limit * KEPT:
            self._close_kept(next(iter(self._kept)))
        self._kept[connection] = self._loop.time()
        self._kept_of[key.account_id] = self._kept_of.get(key.account_id, 0) + 1
        self._idle.setdefault(key, {})[connection] = None
        if self._expiring is None:
            self._expiring = self._loop.call_later(KEEP_ALIVE_SECONDS, self._expire)

    def _expire(self) -> None:
        """Close what has been idle for KEEP_ALIVE_SECONDS; come again for the rest."""
        self._expiring = None
        now = self._loop.time()
        while self._kept:
            connection, since = next(iter(self._kept.items()))
            if since + KEEP_ALIVE_SECONDS > now:
                self._expiring = self._loop.call_at(since + KEEP_ALIVE_SECONDS, self._expire)
                return
            self._close_kept(connection)

    def _close_kept(self, connection: OutboundConnection) -> None:
        self._drop(connection, self._keys[connection])
        connection.close()

    def _drop(self, connection: OutboundConnection, key: PoolKey) -> None:
        """Keep an idle connection no more."""
        del self._kept[connection]
        same = self._idle[key]
        del same[connection]
        if not same:
            del self._idle[key]
        left = self._kept_of[key.account_id] - 1
        if left:
            self._kept_of[key.account_id] = left
        else:
            del self._kept_of[key.account_id]

    def _forget(self, connection: OutboundConnection) -> None:
        """Forget a connection that has ended."""
        key = self._keys.pop(connection, None)
        if key is not None and connection in self._kept:
            self._drop(connection, key)
        if self._emptied is not None and not self._keys:
            self._emptied.set()


def _connection_limit() -> int:
    """Return two fifths of the files we may open.

    A quarter more connections may idle, and calls of models have a pool of their own.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(32, min(MAX_CONNECTIONS, 2 * (files - RESERVED_FILES) // 5))
