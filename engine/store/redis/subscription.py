"""Subscription to one channel, with reconnection.

It detects half-open connections, and servers that have become replicas, on which messages of a new
primary may never arrive.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import hiredis

from engine.executions.retry import jittered
from engine.store.redis import errors
from engine.store.redis.address import RedisAddress
from engine.store.redis.connection import IsReplica, connect, is_replica, pack

LOOK_SECONDS = 2.0
RECONNECT_SECONDS = 0.2
LOG_SECONDS = 5.0
"""Time between two lines on a subscription that is lost again and again."""

log = logging.getLogger(__name__)


def _nothing() -> None:
    return


class Subscription:
    """Calls a function for each message on a channel; a reconnection may lose messages."""

    def __init__(self, address: RedisAddress, channel: str) -> None:
        self._address = address
        self._channel = channel
        self._ready = asyncio.Event()
        self._missed: Callable[[], None] = _nothing

    @contextlib.asynccontextmanager
    async def running(
        self, receive: Callable[[bytes], None], missed: Callable[[], None] = _nothing
    ) -> AsyncIterator[None]:
        """Subscribe while the context lasts; entered once subscribed, or after 2 s.

        `missed` is called after each subscription, since earlier messages were lost.
        """
        self._missed = missed
        task = asyncio.create_task(self._run(receive), name=f"subscription {self._channel}")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._ready.wait()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, receive: Callable[[bytes], None]) -> None:
        logged_at = -LOG_SECONDS
        while True:
            try:
                await self._receive(receive)
            except (OSError, TimeoutError, ValueError, hiredis.HiredisError) as error:
                if time.monotonic() >= logged_at + LOG_SECONDS:
                    logged_at = time.monotonic()
                    extra = {"channel": self._channel, "reason": errors.describe(error)}
                    log.warning("subscription lost, connecting again", extra=extra)
            except Exception:
                log.exception("subscription failed", extra={"channel": self._channel})
            await asyncio.sleep(jittered(RECONNECT_SECONDS))

    async def _receive(self, receive: Callable[[bytes], None]) -> None:
        def push(message: Any) -> None:
            if message[0] == b"message":
                receive(message[2])
            elif message[0] == b"subscribe":
                self._ready.set()
                self._missed()

        connection = await connect(self._address, push)
        try:
            # The confirmation is a push; the next reply shows that it has arrived.
            connection.write([pack("SUBSCRIBE", self._channel)], [])
            while not connection.lost.done():
                if is_replica(await connection.request("HELLO")):
                    raise IsReplica("The server has become a replica")
                await asyncio.wait([connection.lost], timeout=LOOK_SECONDS)
        finally:
            connection.abort()
        raise ConnectionError("The subscription's connection has ended")
