"""Two servers behind one address that moves between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import redis

from tests.conftest import RedisServer, free_port
from tests.support.eventually import eventually
from tests.support.redis.proxy import RedisProxy, running_proxy


class Pair:
    """Two servers, and an address that names the first."""

    def __init__(self, proxy: RedisProxy, servers: list[RedisServer], ports: list[int]) -> None:
        self.proxy = proxy
        self.old, self.new = servers
        self._ports = ports

    async def follow(self) -> None:
        """Make the second follow the first; return once it does."""
        self._command(self.new, "REPLICAOF", "127.0.0.1", self._ports[0])
        await eventually(self._is_following)

    async def fail_over(self) -> None:
        """Move the address to the second; connections to the first stay open.

        The first becomes a replica of a primary that does not answer.
        """
        self.proxy.move(self.new.url)
        self._command(self.old, "REPLICAOF", "127.0.0.1", 1)

    async def hand_over(self) -> None:
        """Exchange the roles of the two servers without a loss.

        Connections stay open. The second is the old primary from now on, and follows the new one.
        """
        await eventually(self._is_following)
        self._command(self.old, "FAILOVER", "TO", "127.0.0.1", self._ports[1])
        await eventually(self._is_over)
        self.old, self.new = self.new, self.old
        self._ports.reverse()
        self.proxy.move(self.old.url)

    async def _is_over(self) -> bool:
        return self._info(self.new)["role"] == "master"

    async def _is_following(self) -> bool:
        return bool(self._info(self.new).get("master_link_status") == "up")

    def _info(self, server: RedisServer) -> dict[str, object]:
        with redis.Redis.from_url(server.url) as client:
            return cast(dict[str, object], client.info("replication"))

    def _command(self, server: RedisServer, *words: str | int) -> None:
        with redis.Redis.from_url(server.url) as client:
            client.execute_command(*words)


@contextlib.asynccontextmanager
async def running_pair() -> AsyncIterator[Pair]:
    """Run two primaries, and an address that names the first."""
    ports = [free_port(), free_port()]
    reachable = ("--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
    servers = [RedisServer("--port", str(port), *reachable) for port in ports]
    try:
        for server in servers:
            await asyncio.to_thread(server.start)
        async with running_proxy(servers[0].url) as proxy:
            yield Pair(proxy, servers, ports)
    finally:
        for server in servers:
            server.stop()
