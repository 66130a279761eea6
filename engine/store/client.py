"""The one connection layer to Redis: commands of one loop tick travel as one pipeline.

Nothing is ever sent twice by itself: a script whose reply was lost may have run, so the caller
gets `Unavailable` and decides. Only a script that Redis does not know (after a restart) is sent
again, since it cannot have run.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    NoScriptError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from engine.errors import StoreFull, Unavailable
from engine.store.scripts import Script

Command = tuple[str | bytes | int | float, ...]

MAX_BATCH = 128
MAX_CONNECTIONS = 4
BATCH_TIMEOUT_SECONDS = 5.0
CONNECT_TIMEOUT_SECONDS = 1.0
FULL_WORDS = ("OOM ", "MISCONF", "READONLY")


class Client:
    """Sends commands and scripts; raises Unavailable or StoreFull, never a Redis error."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            max_connections=2 * MAX_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            health_check_interval=0,
            protocol=3,
        )
        self._waiting: deque[tuple[Command, Script | None, asyncio.Future[Any]]] = deque()
        self._idle = MAX_CONNECTIONS
        self._scheduled = False
        self._batches: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let batches under way end, then close the connections."""
        if self._batches:
            await asyncio.wait(self._batches)
        await self._pool.aclose()

    def send(self, *command: str | bytes | int | float) -> asyncio.Future[Any]:
        """Queue a plain command; await the future for its reply."""
        return self._queue(command, None)

    def call(
        self, script: Script, keys: Sequence[str], args: Sequence[str | bytes | int | float]
    ) -> asyncio.Future[Any]:
        """Queue a script by its digest; await the future for its reply."""
        return self._queue(("EVALSHA", script.sha, len(keys), *keys, *args), script)

    def _queue(self, command: Command, script: Script | None) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, script, future))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return future

    def _flush(self) -> None:
        self._scheduled = False
        while self._waiting and self._idle:
            count = min(len(self._waiting), MAX_BATCH)
            batch = [self._waiting.popleft() for _ in range(count)]
            self._idle -= 1
            task = asyncio.ensure_future(self._run(batch))
            self._batches.add(task)
            task.add_done_callback(self._batch_done)

    def _batch_done(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._idle += 1
        if self._waiting:
            self._flush()

    async def _run(self, batch: list[tuple[Command, Script | None, asyncio.Future[Any]]]) -> None:
        try:
            async with asyncio.timeout(BATCH_TIMEOUT_SECONDS):
                await self._exchange(batch)
        except (RedisError, OSError, TimeoutError, EOFError):
            error = Unavailable("The store cannot be reached right now")
            for _, _, future in batch:
                if not future.done():
                    future.set_exception(error)

    async def _exchange(
        self, batch: list[tuple[Command, Script | None, asyncio.Future[Any]]]
    ) -> None:
        connection = await self._pool.get_connection()
        try:
            await connection.send_packed_command(
                connection.pack_commands([command for command, _, _ in batch]), check_health=False
            )
            for command, script, future in batch:
                _settle(future, await self._reply(connection, command, script))
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self._pool.release(connection)

    async def _reply(
        self, connection: AbstractConnection, command: Command, script: Script | None
    ) -> Any:
        try:
            return await connection.read_response(disconnect_on_error=False)
        except NoScriptError:
            if script is None:
                raise
            return await self._load_and_call(script, command)
        except (RedisConnectionError, RedisTimeoutError):
            raise
        except ResponseError as error:
            return _translate(error)

    async def _load_and_call(self, script: Script, command: Command) -> Any:
        # On a connection of its own: this one still has replies of the batch to come.
        connection = await self._pool.get_connection()
        try:
            await connection.send_command("EVAL", script.text, *command[2:])
            return await connection.read_response()
        except ResponseError as error:
            return _translate(error)
        finally:
            await self._pool.release(connection)


def _settle(future: asyncio.Future[Any], reply: Any) -> None:
    if future.done():
        return
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)


def _translate(error: ResponseError) -> Exception:
    text = str(error)
    if isinstance(error, OutOfMemoryError) or any(word in text for word in FULL_WORDS):
        return StoreFull()
    if text.startswith(("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")):
        return Unavailable("The store is not ready right now")
    return RuntimeError(f"Redis refused a command: {text}")
