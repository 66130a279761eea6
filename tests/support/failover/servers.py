"""Servers whose primaries a trial kills, one interface for each topology."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.support.redis.cluster import running_cluster
from tests.support.redis.fronts import DelayProxy
from tests.support.redis.installation import mark
from tests.support.redis.processes import DURABLE, HOST, ServerProcess
from tests.support.redis.sentinel import running_group


class Servers(Protocol):
    """Shards, each with a primary."""

    @property
    def shard_count(self) -> int: ...

    def address(self) -> str: ...

    def shard_of(self, slot: int) -> int: ...

    def primary(self, shard: int) -> ServerProcess: ...

    def await_failover(self, old: ServerProcess) -> ServerProcess: ...

    def restart(self, server: ServerProcess) -> None: ...


class SingleServer:
    """One server, which comes back with its data: the trial's baseline."""

    shard_count = 1

    def __init__(self, appendfsync: str = DURABLE["appendfsync"]) -> None:
        settings = {**DURABLE, "appendfsync": appendfsync}
        self.server = ServerProcess([f"{key} {value}" for key, value in settings.items()])

    @property
    def file(self) -> Path:
        """Return the file that grows with each write."""
        [found] = (self.server.folder / "appendonlydir").glob("*.incr.aof")
        return found

    def start(self) -> None:
        """Start it without a mark."""
        self.server.start()

    def stop(self) -> None:
        """Kill it and remove its folder."""
        self.server.remove()

    def address(self) -> str:
        return f"redis://{HOST}:{self.server.port}"

    def shard_of(self, slot: int) -> int:
        return 0

    def primary(self, shard: int) -> ServerProcess:
        return self.server

    def await_failover(self, old: ServerProcess) -> ServerProcess:
        """Start the killed server again: no other takes its place."""
        old.start()
        return old

    def restart(self, server: ServerProcess) -> None:
        """Do nothing: it is back."""


@contextlib.contextmanager
def running_servers(topology: str, *, min_replicas: int = 0, lag: float = 0.0) -> Iterator[Servers]:
    """Run `single`, `sentinel` (3 sentinels, 1 + 2 servers) or `cluster` (3 + 3).

    `lag`: seconds by which replicas are behind their primary.
    """

    def delayed(port: int) -> DelayProxy:
        return DelayProxy(port, replication_delay=lag)

    fronts = delayed if lag else None
    if topology == "sentinel":
        with running_group(min_replicas=min_replicas, fronts=fronts) as group:
            yield group
    elif topology == "cluster":
        with running_cluster(min_replicas=min_replicas, fronts=fronts) as cluster:
            yield cluster
    else:
        with running_single() as single:
            yield single


@contextlib.contextmanager
def running_single(appendfsync: str = DURABLE["appendfsync"]) -> Iterator[SingleServer]:
    """Run one server, marked as the tests' installation."""
    single = SingleServer(appendfsync)
    try:
        single.start()
        with single.server.client() as client:
            mark(client)
        yield single
    finally:
        single.stop()
