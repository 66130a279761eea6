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
ACCOUNT_SHARE = 3 / 4
"""Largest share of one account."""
IDLE_SHARE = 1 / 4
ACCOUNT_IDLE_SHARE = 1 / 8
"""Idle connections of all accounts, and of one account, as shares of the limit of connections."""
CLOSE_SECONDS = 1.0


class PoolKey(NamedTuple):
    """Account and origin that a connection serves, and no others."""

    account_id: str
    """Empty: calls of no account."""
    origin: Origin


class ConnectionPool:
    """Hands out connections, and keeps for a while those that may take another call."""

    def __init__(self, connector: Connector, limit: int | None = None) -> None:
        self._limit = limit or _connection_limit()
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self._slots = AccountSemaphore(self._limit, max(1, int(self._limit * ACCOUNT_SHARE)))
        self._keys: dict[OutboundConnection, PoolKey] = {}
        """Keys of all open connections."""
        self._idle: dict[PoolKey, dict[OutboundConnection, None]] = {}
        """Idle connections by key, the last used one at the end."""
        self._idle_since: dict[OutboundConnection, float] = {}
        """Times at which idle connections became idle, the oldest first."""
        self._idle_counts: dict[str, int] = {}
        """Idle connections by account."""
        self._expiring: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None

    async def acquire(self, key: PoolKey) -> OutboundConnection:
        """Return a connection, which must be given back. Raises OSError."""
        if not self._slots.try_acquire(key.account_id):
            await self._slots.acquire(key.account_id)
        try:
            return self._reuse_idle(key) or await self._connect(key)
        except BaseException:
            self._slots.release(key.account_id)
            raise

    def release(self, connection: OutboundConnection, key: PoolKey, *, is_done: bool) -> None:
        """End the connection's call, and keep it if `is_done` and it may take another one."""
        may_idle = connection.finish() and is_done
        if may_idle and self._idle_counts.get(key.account_id, 0) < self._limit * ACCOUNT_IDLE_SHARE:
            self._keep_idle(connection, key)
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

    def _reuse_idle(self, key: PoolKey) -> OutboundConnection | None:
        """Return the idle connection that was used last; close those on which bytes have come."""
        while key in self._idle:
            connection = next(reversed(self._idle[key]))
            self._remove_idle(connection, key)
            if connection.is_usable:
                return connection
            connection.close()
        return None

    def _keep_idle(self, connection: OutboundConnection, key: PoolKey) -> None:
        if len(self._idle_since) >= self._limit * IDLE_SHARE:
            self._close_idle(next(iter(self._idle_since)))
        self._idle_since[connection] = self._loop.time()
        self._idle_counts[key.account_id] = self._idle_counts.get(key.account_id, 0) + 1
        self._idle.setdefault(key, {})[connection] = None
        if self._expiring is None:
            self._expiring = self._loop.call_later(KEEP_ALIVE_SECONDS, self._expire)

    def _expire(self) -> None:
        """Close what has been idle for KEEP_ALIVE_SECONDS; come again for the rest."""
        self._expiring = None
        now = self._loop.time()
        while self._idle_since:
            connection, since = next(iter(self._idle_since.items()))
            if since + KEEP_ALIVE_SECONDS > now:
                self._expiring = self._loop.call_at(since + KEEP_ALIVE_SECONDS, self._expire)
                return
            self._close_idle(connection)

    def _close_idle(self, connection: OutboundConnection) -> None:
        self._remove_idle(connection, self._keys[connection])
        connection.close()

    def _remove_idle(self, connection: OutboundConnection, key: PoolKey) -> None:
        """Keep an idle connection no more."""
        del self._idle_since[connection]
        same = self._idle[key]
        del same[connection]
        if not same:
            del self._idle[key]
        left = self._idle_counts[key.account_id] - 1
        if left:
            self._idle_counts[key.account_id] = left
        else:
            del self._idle_counts[key.account_id]

    def _forget(self, connection: OutboundConnection) -> None:
        """Forget a connection that has ended."""
        key = self._keys.pop(connection, None)
        if key is not None and connection in self._idle_since:
            self._remove_idle(connection, key)
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
