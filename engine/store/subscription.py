"""A subscription to one channel that reconnects by itself and notices half-open connections."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

QUIET_SECONDS = 5.0
RECONNECT_SECONDS = 0.2

log = logging.getLogger(__name__)


class Subscription:
    """Calls a function for each message on a channel; messages may be lost while it reconnects."""

    def __init__(self, redis_url: str, channel: str) -> None:
        self._url = redis_url
        self._channel = channel
        self._ready = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self, receive: Callable[[bytes], None]) -> AsyncIterator[None]:
        """Receive for as long as the context lasts; entered once subscribed, or after 2 s."""
        task = asyncio.create_task(self._run(receive), name=f"subscription {self._channel}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self._ready.wait()
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, receive: Callable[[bytes], None]) -> None:
        while True:
            client = Redis.from_url(
                self._url,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=None,
                socket_connect_timeout=1,
                protocol=3,
            )
            try:
                await self._receive(client, receive)
            except (RedisError, OSError, TimeoutError):
                self._ready.clear()
                log.warning("subscription lost, connecting again", extra={"channel": self._channel})
                await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                await client.aclose()

    async def _receive(self, client: "Redis", receive: Callable[[bytes], None]) -> None:
        async with client.pubsub() as pubsub:
            await pubsub.subscribe(self._channel)
            while True:
                message = await pubsub.get_message(timeout=QUIET_SECONDS)
                if message is None:
                    await asyncio.wait_for(pubsub.ping(), timeout=2)
                elif message["type"] == "subscribe":
                    self._ready.set()
                elif message["type"] == "message":
                    receive(message["data"])
