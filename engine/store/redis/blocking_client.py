"""Blocking client of redis-py for threads: the heartbeat, and the broker of own actors.

Topology is the library's work. No command is repeated after its reply was lost.
"""

import contextlib
import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import MasterDownError, ReadOnlyError, RedisClusterException, RedisError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from engine.store.redis.address import RedisAddress, RedisNode, Topology

CONNECT_SECONDS = 1.0
SENTINEL_SECONDS = 0.3
"""Longest wait for a sentinel: a heartbeat must be able to wait for several of them."""
LOOK_SECONDS = 2.0
"""Time between two questions to the sentinels, while the client is in use."""


class BlockingClient:
    """Sends commands to a server, to the primary that sentinels name, or to a cluster.

    The library's client is made at the first command, since that of a cluster connects at once.
    """

    def __init__(
        self,
        address: RedisAddress,
        *,
        reply_seconds: float,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._address = address
        self._options = address.library_options | {
            "socket_timeout": reply_seconds,
            "socket_connect_timeout": connect_seconds,
        }
        self._lock = threading.Lock()
        self._library: redis.Redis | RedisCluster | None = None
        self._looked_at = 0.0

    def execute(self, *command: Any) -> Any:
        """Send a command and return its reply. Raises RedisError."""
        try:
            client: Any = self._open()
            self._look(client)
            return client.execute_command(*command)
        except (ReadOnlyError, MasterDownError):
            self.leave()
            raise
        except RedisClusterException as error:  # it is no RedisError
            raise NotConnected(str(error)) from error

    def leave(self) -> None:
        """Close the connections to a server; the next command finds the primary anew."""
        if isinstance(self._library, redis.Redis):
            self._library.connection_pool.disconnect()

    def close(self) -> None:
        """Close the connections for good."""
        if self._library is None:
            return
        self._library.close()
        if pool := _sentinel_pool(self._library):
            for each in pool.sentinel_manager.sentinels:
                each.close()

    def _open(self) -> "redis.Redis | RedisCluster":
        with self._lock:
            if self._library is None:
                self._library = self._make()
            return self._library

    def _make(self) -> "redis.Redis | RedisCluster":
        address, options = self._address, self._options | {"retry": Retry(NoBackoff(), 0)}
        match address.topology:
            case Topology.SENTINEL:
                sentinels: Any = _Sentinels(address.nodes, options)
                primary = sentinels.master_for(address.service, db=address.db, **options)
                return cast(redis.Redis, primary)
            case Topology.CLUSTER:
                nodes = [ClusterNode(each.host, each.port) for each in address.nodes]
                return RedisCluster(startup_nodes=nodes, require_full_coverage=False, **options)
            case Topology.SINGLE if address.path:
                return redis.Redis(unix_socket_path=address.path, db=address.db, **options)
            case Topology.SINGLE:
                (node,) = address.nodes
                return redis.Redis(host=node.host, port=node.port, db=address.db, **options)

    def _look(self, client: "redis.Redis | RedisCluster") -> None:
        """Leave a server that the sentinels have replaced: it may not know that."""
        pool = _sentinel_pool(client)
        if pool is None or time.monotonic() < self._looked_at + LOOK_SECONDS:
            return
        with contextlib.suppress(MasterNotFoundError):
            pool.get_master_address()  # disconnects from another
        self._looked_at = time.monotonic()


class _Sentinels(Sentinel):
    """Sentinels of which a majority is asked."""

    def __init__(self, nodes: Sequence[RedisNode], options: dict[str, Any]) -> None:
        limits = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
        places = [(each.host, each.port) for each in random.sample(nodes, len(nodes))]
        super().__init__(places, sentinel_kwargs=options | limits)  # type: ignore[no-untyped-call]

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return the primary with the highest epoch. Raises MasterNotFoundError.

        A sentinel that does not answer is asked last from then on.
        """
        named = list[tuple[int, tuple[str, int]]]()
        for sentinel in [*self.sentinels]:
            try:
                answer = self._ask(sentinel, service_name)
            except RedisError:
                others = [each for each in self.sentinels if each is not sentinel]
                self.sentinels = [*others, sentinel]
                continue
            if answer is not None:
                named.append(answer)
            if len(named) > len(self.sentinels) // 2:
                break
        if not named:
            raise MasterNotFoundError(f"No sentinel names a primary of {service_name}")
        return max(named)[1]

    def _ask(self, sentinel: Any, service: str) -> tuple[int, tuple[str, int]] | None:
        """Return the epoch and the place of the primary that a sentinel names."""
        state = sentinel.sentinel_masters().get(service)
        place = parse_place(sentinel.sentinel_get_master_addr_by_name(service))
        if state is None or place is None:
            return None
        is_up = cast(Any, super()).check_master_state(state, service)
        return (state["config-epoch"], place) if is_up or is_promoted(state, place) else None


def parse_place(reply: Any) -> tuple[str, int] | None:
    """Return host and port of the reply to SENTINEL GET-MASTER-ADDR-BY-NAME, None without them."""
    return (reply[0].decode(), reply[1]) if reply else None


def is_promoted(state: Mapping[str, Any], place: tuple[str, int]) -> bool:
    """Return whether a sentinel has just made the server at a place the primary.

    Until it has configured the other replicas, the sentinel that leads a failover has the new epoch
    with the state of the old primary, which is down, or back already. The place is of the new one.
    """
    return place != (state["ip"], state["port"])


def _sentinel_pool(client: "redis.Redis | RedisCluster") -> SentinelConnectionPool | None:
    pool = client.connection_pool if isinstance(client, redis.Redis) else None
    return pool if isinstance(pool, SentinelConnectionPool) else None
