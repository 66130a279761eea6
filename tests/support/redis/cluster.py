"""A cluster: primaries with a replica each, created by commands."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import redis
from redis.cluster import ClusterNode
from redis.cluster import RedisCluster as ClusterOfLibrary

from tests.conftest import free_port
from tests.support.redis.fronts import Front
from tests.support.redis.installation import mark_cluster
from tests.support.redis.processes import (
    DURABLE,
    HOST,
    ServerProcess,
    access_lines,
    userinfo,
    wait_until,
)

SLOTS = 16_384
MOVED_AT_ONCE = 50


class RedisCluster:
    """Primaries, each with as many replicas, marked as the tests' installation by default.

    A shard is the servers of one range of slots, the first range being shard 0. With `fronts` (a
    function of a server's port) each server is announced under the port of a proxy.
    """

    def __init__(
        self,
        primaries: int = 3,
        replicas: int = 1,
        *,
        node_timeout_ms: int = 1_000,
        min_replicas: int = 0,
        user: str | None = None,
        password: str | None = None,
        fronts: Any = None,
        is_marked: bool = True,
    ) -> None:
        self.credentials = user, password
        self._fronts: dict[int, Front] = {}
        self._is_marked = is_marked
        settings = DURABLE | {
            "cluster-enabled": "yes",
            "cluster-config-file": "nodes",
            "cluster-node-timeout": str(node_timeout_ms),
            "cluster-allow-replica-migration": "no",
            "repl-diskless-sync-delay": "0",
            "repl-ping-replica-period": "1",
            "min-replicas-to-write": str(min_replicas),
            "min-replicas-max-lag": "2",
        }
        lines = [f"{key} {value}" for key, value in settings.items()]
        lines += access_lines(user, password)
        self.shards = [
            [self._process(lines, fronts) for _ in range(1 + replicas)] for _ in range(primaries)
        ]
        self.servers = [server for shard in self.shards for server in shard]

    def start(self) -> None:
        """Start all, join them, and wait until every slot is served and every replica follows."""
        for each in self.servers:
            each.launch()
        for each in self.servers:
            each.await_answer()
        self._join()
        self._follow()
        self.await_health()
        if self._is_marked:
            with self.client() as client:
                mark_cluster(client)

    def stop(self) -> None:
        """Kill all, and remove their folders."""
        for each in self.servers:
            each.remove()
        for front in self._fronts.values():
            front.close()

    def address(self, scheme: str = "redis+cluster") -> str:
        """Return the address for clients, with user and password if the cluster has them."""
        nodes = ",".join(f"{HOST}:{self.port_of(each)}" for each in self.servers)
        return f"{scheme}://{userinfo(*self.credentials)}{nodes}"

    def client(self) -> Any:
        """Return a client of the library, for tests to look at data."""
        user, password = self.credentials
        nodes = [ClusterNode(HOST, each.port) for each in self.servers if each.is_running]
        return ClusterOfLibrary(startup_nodes=nodes, username=user, password=password)

    @property
    def shard_count(self) -> int:
        """Return the number of shards."""
        return len(self.shards)

    def primary(self, shard: int) -> ServerProcess:
        """Return the primary of a shard, by the servers that run."""
        return wait_until(lambda: self._find_primary(shard), f"a primary of shard {shard}")

    def replica(self, shard: int) -> ServerProcess:
        """Return a server of a shard other than its primary."""
        primary = self.primary(shard)
        return next(each for each in self.shards[shard] if each is not primary)

    def shard_of(self, slot: int) -> int:
        """Return the shard that serves a slot now."""

        def find() -> int:
            for begin, end, port in self._slots():
                if begin <= slot <= end:
                    return 1 + next(
                        number
                        for number, servers in enumerate(self.shards)
                        if port in [self.port_of(each) for each in servers]
                    )
            return 0

        return wait_until(find, f"an owner of slot {slot}") - 1

    def begin_move(self, slot: int, to: int) -> "SlotMove":
        """Begin to move a slot to the primary of a shard, without a key yet."""
        move = SlotMove(self, slot, self.primary(self.shard_of(slot)), self.primary(to))
        move.begin()
        return move

    def move_slot(self, slot: int, to: int, *, seconds: float = 1.0) -> int:
        """Move a slot to a shard under load, and return how many keys were moved.

        For this time its keys lie on both sides: commands on a moved key are answered with ASK,
        those on keys of both sides with TRYAGAIN.
        """
        move = self.begin_move(slot, to)
        move.move_keys(share=0.5)
        time.sleep(seconds)
        move.move_keys()
        move.finish()
        return move.moved

    def kill_primary(self, shard: int) -> ServerProcess:
        """Kill the primary of a shard and return it."""
        killed = self.primary(shard)
        killed.kill()
        return killed

    def await_failover(self, old: ServerProcess) -> ServerProcess:
        """Wait until another server of the shard is primary and all servers see every slot."""
        shard = next(number for number, each in enumerate(self.shards) if old in each)

        def find() -> ServerProcess | None:
            new = self._find_primary(shard, but=old)
            return new if new and self._is_covered() else None

        return wait_until(find, f"a new primary of shard {shard}")

    def restart(self, server: ServerProcess) -> None:
        """Start a server again, unless it runs; it follows the primary of its shard after this."""
        if not server.is_running:
            server.start()
        self.await_health()

    def await_health(self) -> None:
        """Wait until each running server sees every slot, and one primary a shard is followed."""

        def is_healthy() -> bool:
            for shard in self.shards:
                found = [each.info() for each in shard if each.is_running]
                up = [each for each in found if each.get("master_link_status") == "up"]
                if len(up) < len(found) - 1:
                    return False
            return self._is_covered()

        wait_until(is_healthy, "a healthy cluster")

    def front(self, server: ServerProcess) -> Any:
        """Return the proxy before a server."""
        return self._fronts[server.port]

    def port_of(self, server: ServerProcess) -> int:
        """Return the port under which others know a server."""
        front = self._fronts.get(server.port)
        return front.port if front else server.port

    def _process(self, lines: list[str], fronts: Any) -> ServerProcess:
        bus_port = free_port()
        lines = [*lines, f"cluster-port {bus_port}"]
        process = ServerProcess(lines, credentials=self.credentials)
        if fronts is not None:
            front = self._fronts[process.port] = fronts(process.port)
            with process.configuration.open("a") as file:
                file.write(f"cluster-announce-port {front.port}\n")
                file.write(f"cluster-announce-bus-port {bus_port}\n")
                file.write(f"replica-announce-port {front.port}\n")
        process.bus_port = bus_port
        return process

    def _join(self) -> None:
        """Give each shard its slots, and make all servers known to each other."""
        size = SLOTS / len(self.shards)
        for number, shard in enumerate(self.shards):
            begin, end = round(number * size), round((number + 1) * size) - 1
            shard[0].command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            shard[0].command("CLUSTER", "ADDSLOTSRANGE", begin, end)
        for one in self.servers:
            for other in self.servers:
                if one is not other:
                    place = HOST, self.port_of(other), other.bus_port
                    one.command("CLUSTER", "MEET", *place)
        wait_until(self._all_know_all, "servers that know each other")

    def _follow(self) -> None:
        for primary, *replicas in self.shards:
            for each in replicas:
                each.command("CLUSTER", "REPLICATE", node_id(primary))

    def _all_know_all(self) -> bool:
        for each in self.servers:
            known = each.command("CLUSTER", "NODES").decode().splitlines()
            if len(known) != len(self.servers) or any("handshake" in line for line in known):
                return False
        return True

    def _is_covered(self) -> bool:
        """Return whether each running server sees the same owners of all slots."""
        views = set()
        for each in self.servers:
            if not each.is_running:
                continue
            if b"cluster_state:ok" not in each.command("CLUSTER", "INFO"):
                return False
            views.add(tuple(sorted(_owners(each))))
        return len(views) == 1

    def _find_primary(
        self, shard: int, *, but: ServerProcess | None = None
    ) -> ServerProcess | None:
        """Return the server of the shard that has slots by its own view."""
        for each in self.shards[shard]:
            if each is but or not each.is_running:
                continue
            with contextlib.suppress(Exception):
                if each.info()["role"] == "master":
                    return each
        return None

    def _slots(self) -> list[tuple[int, int, int]]:
        """Return first slot, last slot and port of the owner, by the first server that answers."""
        for each in self.servers:
            if each.is_running:
                with contextlib.suppress(redis.RedisError):
                    return _owners(each)
        return []


class SlotMove:
    """Move of a slot from one primary to another, in steps."""

    def __init__(
        self, cluster: RedisCluster, slot: int, source: ServerProcess, target: ServerProcess
    ) -> None:
        assert source is not target, f"slot {slot} is there already"
        self.moved = 0
        self._cluster = cluster
        self._slot = slot
        self._source = source
        self._target = target

    def begin(self) -> None:
        """Let the source send commands on absent keys to the target (ASK)."""
        setslot = "CLUSTER", "SETSLOT", self._slot
        self._target.command(*setslot, "IMPORTING", node_id(self._source))
        self._source.command(*setslot, "MIGRATING", node_id(self._target))

    def move_keys(self, share: float = 1.0) -> None:
        """Move this share of the keys that the source has now; 1: until none is left."""
        left = int(share * int(self._source.command("CLUSTER", "COUNTKEYSINSLOT", self._slot)))
        while share == 1.0 or left > 0:
            count = MOVED_AT_ONCE if share == 1.0 else min(left, MOVED_AT_ONCE)
            keys = self._source.command("CLUSTER", "GETKEYSINSLOT", self._slot, count)
            if not keys:
                return
            self._migrate(keys)
            left -= len(keys)

    def finish(self) -> None:
        """Make the target the owner of the slot; no key may be left at the source."""
        owner = "CLUSTER", "SETSLOT", self._slot, "NODE", node_id(self._target)
        self._target.command(*owner)
        self.move_keys()
        self._source.command(*owner)
        for number in range(len(self._cluster.shards)):
            self._cluster.primary(number).command(*owner)

    def _migrate(self, keys: list[bytes]) -> None:
        user, password = self._cluster.credentials
        access: list[str] = []
        if password is not None:
            access = ["AUTH2", user, password] if user else ["AUTH", password]
        place = HOST, self._target.port, "", 0, 5_000
        self._source.command("MIGRATE", *place, *access, "KEYS", *keys)
        self.moved += len(keys)


def node_id(server: ServerProcess) -> str:
    """Return the id by which the cluster knows a server."""
    found = server.command("CLUSTER", "MYID")
    return found.decode() if isinstance(found, bytes) else str(found)


def _owners(server: ServerProcess) -> list[tuple[int, int, int]]:
    """Return first slot, last slot and port of the owner, by this server."""
    return [
        (begin, end, primary[1]) for begin, end, primary, *_ in server.command("CLUSTER", "SLOTS")
    ]


@contextlib.contextmanager
def running_cluster(*arguments: Any, **options: Any) -> Iterator[RedisCluster]:
    """Run a cluster while the context lasts."""
    cluster = RedisCluster(*arguments, **options)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
