"""A primary, its replicas and the sentinels that watch them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from tests.support.redis.fronts import Front
from tests.support.redis.installation import mark
from tests.support.redis.processes import (
    DURABLE,
    HOST,
    ServerProcess,
    access_lines,
    userinfo,
    wait_until,
)

SERVICE = "headrace"
SENTINEL_PERIODS = {"ping-period": 300, "info-period": 500, "publish-period": 500}
"""Milliseconds, shorter than the defaults: 1,000, 10,000 and 2,000.

Servers that return are found sooner. With pings a second apart, a sentinel gives up a primary that
it knows for less than `down_after_ms`, right after a failover; with pings ten times a second it
finds no replica that is fit, since their INFO, one a second, counts for five pings.
"""
NEVER = 1_000_000


class SentinelGroup:
    """One primary, replicas and sentinels, marked as the tests' installation by default.

    With `fronts` (a class such as DelayProxy, or a function of a server's port), each server and
    sentinel is announced under the port of a proxy, which others see instead of it.
    """

    def __init__(
        self,
        replicas: int = 2,
        sentinels: int = 3,
        *,
        down_after_ms: int = 1_000,
        failover_timeout_ms: int = 2_000,
        min_replicas: int = 0,
        user: str | None = None,
        password: str | None = None,
        fronts: Any = None,
        is_marked: bool = True,
    ) -> None:
        self.service = SERVICE
        self._credentials = user, password
        self._fronts: dict[int, Front] = {}
        self._make_front = fronts
        self._is_marked = is_marked
        settings = DURABLE | {
            "repl-diskless-sync-delay": "0",
            "repl-ping-replica-period": "1",
            "min-replicas-to-write": str(min_replicas),
            "min-replicas-max-lag": "2",
        }
        lines = [f"{key} {value}" for key, value in settings.items()]
        lines += access_lines(user, password)
        self.servers = [self._process(lines) for _ in range(1 + replicas)]
        for server in self.servers[1:]:
            append(server, [f"replicaof {HOST} {self.port_of(self.servers[0])}"])
        accepted = [line for line in access_lines(user, password) if not line.startswith("master")]
        self.sentinels = [self._process(accepted, is_sentinel=True) for _ in range(sentinels)]
        for number, sentinel in enumerate(self.sentinels):
            append(sentinel, self._watch_lines(number, down_after_ms, failover_timeout_ms))

    def start(self) -> None:
        """Start all, and wait until replicas follow and sentinels agree on the primary."""
        for each in (*self.servers, *self.sentinels):
            each.launch()
        for each in (*self.servers, *self.sentinels):
            each.await_answer()
        for sentinel in self.sentinels:
            self._tune(sentinel)
        self.await_replicas()
        if self._is_marked:
            with self.servers[0].client() as client:
                mark(client)
                client.wait(len(self.servers) - 1, 5_000)
        wait_until(self._agree, "sentinels that know all servers and each other")

    def stop(self) -> None:
        """Kill all, and remove their folders."""
        for each in (*self.sentinels, *self.servers):
            each.remove()
        for front in self._fronts.values():
            front.close()

    def address(self, scheme: str = "redis+sentinel") -> str:
        """Return the address for clients, with user and password if the group has them."""
        nodes = ",".join(f"{HOST}:{self.port_of(each)}" for each in self.sentinels)
        return f"{scheme}://{userinfo(*self._credentials)}{nodes}/{self.service}"

    @property
    def shard_count(self) -> int:
        """Return 1: all slots are on one primary."""
        return 1

    def shard_of(self, slot: int) -> int:
        """Return the shard of each slot."""
        return 0

    def primary(self, shard: int = 0) -> ServerProcess:
        """Return the primary by the first sentinel that answers; it may be down."""
        return wait_until(self._named_primary, "a sentinel that knows a primary")

    def replicas(self) -> list[ServerProcess]:
        """Return the servers other than the primary."""
        primary = self.primary()
        return [each for each in self.servers if each is not primary]

    def kill_primary(self, shard: int = 0) -> ServerProcess:
        """Kill the primary and return it."""
        killed = self.primary()
        killed.kill()
        return killed

    def await_failover(self, old: ServerProcess) -> ServerProcess:
        """Wait until all running sentinels name another primary, which accepts writes."""

        def find() -> ServerProcess | None:
            named = {self._named_by(each) for each in self.sentinels if each.is_running}
            if len(named) != 1 or (new := named.pop()) in (None, old):
                return None
            return new if new.info()["role"] == "master" else None

        return wait_until(find, "a new primary")

    def sees_up(self, primary: ServerProcess) -> bool:
        """Return whether the first sentinel watches this primary, and has heard from it."""
        state = _fields(self.sentinels[0].command("SENTINEL", "MASTER", self.service))
        flags = state["flags"].split(",")
        return state["port"] == str(self.port_of(primary)) and "s_down" not in flags

    def restart(self, server: ServerProcess) -> None:
        """Start a server or sentinel again, unless it runs, and wait until servers follow.

        An old primary starts as a primary, by its configuration, and the sentinels demote it.
        """
        if not server.is_running:
            server.start()
        if server in self.sentinels:
            self._tune(server)
        else:
            self.await_replicas()

    def await_replicas(self) -> None:
        """Wait until every running server but the primary follows it."""

        def follow() -> bool:
            port = self.port_of(self.primary())
            for each in self.servers:
                if each.is_running and self.port_of(each) != port:
                    found = each.info()
                    if (found.get("master_link_status"), found.get("master_port")) != ("up", port):
                        return False
            return True

        wait_until(follow, "replicas that follow the primary")

    def front(self, server: ServerProcess) -> Any:
        """Return the proxy before a server or sentinel."""
        return self._fronts[server.port]

    def port_of(self, server: ServerProcess) -> int:
        """Return the port under which others know a server or sentinel."""
        front = self._fronts.get(server.port)
        return front.port if front else server.port

    def _process(self, lines: list[str], *, is_sentinel: bool = False) -> ServerProcess:
        process = ServerProcess(lines, is_sentinel=is_sentinel, credentials=self._credentials)
        if self._make_front is not None:
            front = self._make_front(process.port)
            self._fronts[process.port] = front
            kind = "sentinel" if is_sentinel else "replica"
            append(process, [f"{kind} announce-port {front.port}".replace("replica ", "replica-")])
        return process

    def _watch_lines(self, number: int, down_after: int, failover_timeout: int) -> list[str]:
        """Return a sentinel's configuration, which names the others so that none is looked for."""
        quorum = len(self.sentinels) // 2 + 1
        user, password = self._credentials
        lines = [
            f"sentinel myid {_id(number)}",
            f"sentinel monitor {self.service} {HOST} {self.port_of(self.servers[0])} {quorum}",
            f"sentinel down-after-milliseconds {self.service} {down_after}",
            f"sentinel failover-timeout {self.service} {failover_timeout}",
        ]
        if password is not None:
            lines += [f"sentinel auth-pass {self.service} {password}"]
            lines += [f"sentinel sentinel-pass {password}"]
        if user is not None:
            lines += [f"sentinel auth-user {self.service} {user}", f"sentinel sentinel-user {user}"]
        for each in self.servers[1:]:
            lines.append(f"sentinel known-replica {self.service} {HOST} {self.port_of(each)}")
        for other, each in enumerate(self.sentinels):
            if other != number:
                place = f"{HOST} {self.port_of(each)} {_id(other)}"
                lines.append(f"sentinel known-sentinel {self.service} {place}")
        return lines

    def _tune(self, sentinel: ServerProcess) -> None:
        for name, milliseconds in SENTINEL_PERIODS.items():
            sentinel.command("SENTINEL", "DEBUG", name, milliseconds)

    def _agree(self) -> bool:
        for sentinel in self.sentinels:
            master = _fields(sentinel.command("SENTINEL", "MASTER", self.service))
            seen = (master["num-slaves"], master["num-other-sentinels"], master["flags"])
            if seen != (str(len(self.servers) - 1), str(len(self.sentinels) - 1), "master"):
                return False
            for replica in sentinel.command("SENTINEL", "REPLICAS", self.service):
                if _fields(replica)["master-link-status"] != "ok":
                    return False
        return True

    def _named_primary(self) -> ServerProcess | None:
        for sentinel in self.sentinels:
            with contextlib.suppress(Exception):
                return self._named_by(sentinel)
        return None

    def _named_by(self, sentinel: ServerProcess) -> ServerProcess | None:
        place = sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.service)
        port = int(place[1])
        return next((each for each in self.servers if self.port_of(each) == port), None)


def append(process: ServerProcess, lines: list[str]) -> None:
    """Add lines to the configuration of a server that has not started."""
    with process.configuration.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def _id(number: int) -> str:
    return f"{NEVER + number:040x}"


def _fields(found: Any) -> dict[str, str]:
    """Return a reply of names and values as texts, in the form of RESP2 or of redis-py."""
    if isinstance(found, dict):
        return {_text(key): _text(value) for key, value in found.items()}
    return {_text(key): _text(value) for key, value in zip(found[::2], found[1::2], strict=True)}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@contextlib.contextmanager
def running_group(*arguments: Any, **options: Any) -> Iterator[SentinelGroup]:
    """Run a group while the context lasts."""
    group = SentinelGroup(*arguments, **options)
    try:
        group.start()
        yield group
    finally:
        group.stop()


@contextlib.asynccontextmanager
async def failover(
    group: SentinelGroup, *, pauses: bool = False
) -> AsyncIterator[tuple[ServerProcess, ServerProcess]]:
    """Kill or pause the primary; yield it and the new one; afterwards it is a replica."""
    old = group.primary()
    (old.pause if pauses else old.kill)()
    try:
        yield old, await asyncio.to_thread(group.await_failover, old)
    finally:
        if pauses:
            old.resume()
            await asyncio.to_thread(group.await_replicas)
        else:
            await asyncio.to_thread(group.restart, old)
