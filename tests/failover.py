"""A primary and its replica behind one address, and a failover by hand between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import redis

from tests.conftest import RedisServer, free_port
from tests.eventually import eventually
from tests.redis_proxy import RedisProxy, running_proxy


class Pair:
    """Two servers, of which the second takes the place of the first at `fail_over`."""

    def __init__(self, proxy: RedisProxy, servers: list[RedisServer], port: int) -> None:
        self.proxy = proxy
        self.old, self.new = servers
        self._port = port

    async def follow(self) -> None:
        """Have the second follow the first; returns once it does."""
        self._command(self.new, "REPLICAOF", "127.0.0.1", self._port)
        await eventually(self._is_following)

    async def fail_over(self) -> None:
        """Promote the second and move the address; connections to the first stay open.

        The first is a replica then, of a primary that does not answer.
        """
        if self._info(self.new)["role"] == "slave":
            await eventually(self._has_all)
            self._command(self.new, "REPLICAOF", "NO", "ONE")
        self.proxy.move(self.new.url)
        self._command(self.old, "REPLICAOF", "127.0.0.1", 1)

    async def _is_following(self) -> bool:
        return bool(self._info(self.new).get("master_link_status") == "up")

    async def _has_all(self) -> bool:
        return (
            self._info(self.new)["slave_repl_offset"] == self._info(self.old)["master_repl_offset"]
        )

    def _info(self, server: RedisServer) -> dict[str, object]:
        with redis.Redis.from_url(server.url) as client:
            return cast(dict[str, object], client.info("replication"))

    def _command(self, server: RedisServer, *words: str | int) -> None:
        with redis.Redis.from_url(server.url) as client:
            client.execute_command(*words)


@contextlib.asynccontextmanager
async def running_pair() -> AsyncIterator[Pair]:
    """Two primaries, and an address that names the first."""
    port = free_port()
    reachable = ("--port", str(port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
    servers = [RedisServer(*reachable), RedisServer()]
    try:
        for server in servers:
            await asyncio.to_thread(server.start)
        async with running_proxy(servers[0].url) as proxy:
            yield Pair(proxy, servers, port)
    finally:
        for server in servers:
            server.stop()
