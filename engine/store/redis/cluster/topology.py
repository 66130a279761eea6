"""Topology of a cluster: the primary of each slot, shared by all clients of a process.

The library reads it from the nodes. It is read at first use, and again after signs of a change:
a redirection, a lost connection, a cluster that is down. However many commands meet such signs, a
process reads it once a second at most.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from engine.executions.retry import jittered
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster.routes import slot_of

READ_SECONDS = 1.0
"""Longest wait for one node's view of the topology."""
PAUSE_SECONDS = 1.0
"""Shortest time between two reads, before jitter."""
FRESH_SECONDS = 0.5
"""Age up to which a new connection uses the topology without another read."""

log = logging.getLogger(__name__)


class ClusterTopology:
    """Primaries of a cluster's slots. It is bound to the event loop that made it."""

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._slots: Mapping[int, RedisNode] = {}
        self._moved: dict[int, RedisNode] = {}
        """Slots that a redirection has named since the last read."""
        self._primaries: Sequence[RedisNode] = ()
        self._failed: RedisNode | None = None
        self._reading: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._read_at = float("-inf")
        self.reads = 0
        """Number of reads that have succeeded."""

    @property
    def primaries(self) -> Sequence[RedisNode]:
        """Return the primaries that hold slots; none before the first read."""
        return self._primaries

    def primary_of(self, slot: int) -> RedisNode | None:
        """Return the primary of a slot, None when the slot is not covered or nothing was read."""
        return self._moved.get(slot) or self._slots.get(slot)

    def move(self, slot: int, node: RedisNode) -> None:
        """Record a redirection of a slot, and read the topology soon."""
        self._moved[slot] = node
        self.suspect()

    def suspect(self, failed: RedisNode | None = None) -> None:
        """Read the topology soon, since it may have changed; `failed` is asked last."""
        self._failed = failed or self._failed
        if self._reading is None and self._timer is None:
            loop = asyncio.get_running_loop()
            due = self._read_at + jittered(PAUSE_SECONDS)
            self._timer = loop.call_at(max(due, loop.time()), self._begin)

    async def read(self, *, max_age: float = FRESH_SECONDS) -> None:
        """Read the topology unless that was done in the last `max_age` seconds.

        Raises ConnectionError when no node gives one. Concurrent callers share one read.
        """
        loop = asyncio.get_running_loop()
        if self._primaries and loop.time() - self._read_at <= max_age:
            return
        await asyncio.shield(self._begin())
        if not self._primaries:
            raise ConnectionError("No node of the cluster can be reached")

    def _begin(self) -> "asyncio.Task[None]":
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="topology of the cluster")
        return self._reading

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        # Redirections that come during the read may be newer than its answer.
        before, self._moved = self._moved, {}
        try:
            slots, nodes = await _ask(self._address, self._primaries, self._failed)
            self._slots, self._primaries = slots, nodes
            self._failed = None
            self.reads += 1
        except (RedisClusterException, RedisError, OSError, TimeoutError, LookupError) as error:
            # The library meets a LookupError where no slot has a primary.
            self._moved = before | self._moved
            log.warning("the cluster gives no topology", extra={"reason": str(error)})
        finally:
            self._read_at = loop.time()
            self._reading = None


async def _ask(
    address: RedisAddress, known: Sequence[RedisNode], failed: RedisNode | None
) -> tuple[Mapping[int, RedisNode], Sequence[RedisNode]]:
    """Return the primary of each covered slot, and all primaries, as one node sees them."""
    cluster = _library_client(address, known)
    manager = cluster.nodes_manager
    try:
        await manager.initialize(last_failed_node_name=str(failed) if failed else None)
        made: dict[int, RedisNode] = {}
        """Node by the identity of a list: the slots of a range share one."""
        slots = {
            slot: made.get(id(nodes)) or made.setdefault(id(nodes), _node_of(nodes[0]))
            for slot, nodes in manager.slots_cache.items()
        }
    finally:
        await manager.aclose()
        await manager.aclose("startup_nodes")
    return slots, sorted(set(slots.values()), key=str)


def _node_of(node: ClusterNode) -> RedisNode:
    return RedisNode(host=node.host, port=int(node.port))


def _library_client(address: RedisAddress, known: Sequence[RedisNode]) -> RedisCluster:
    """Return a client of the library that is asked for nodes alone."""
    nodes = dict.fromkeys((*known, *address.nodes))
    return RedisCluster(
        startup_nodes=[ClusterNode(each.host, each.port) for each in nodes],
        require_full_coverage=False,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=READ_SECONDS,
        socket_connect_timeout=READ_SECONDS,
        driver_info=None,
        **address.library_options,
    )


_topologies: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[RedisAddress, ClusterTopology]] = (
    WeakKeyDictionary()
)


def topology_of(address: RedisAddress) -> ClusterTopology:
    """Return the topology that all users of this event loop and address share."""
    known = _topologies.setdefault(asyncio.get_running_loop(), {})
    if address not in known:
        known[address] = ClusterTopology(address)
    return known[address]


async def find_primary(address: RedisAddress, slot_key: str | None = None) -> RedisNode:
    """Return the primary of a key's slot, any primary without a key. Raises ConnectionError."""
    topology = topology_of(address)
    await topology.read()
    if slot_key is None:
        return secrets.choice(topology.primaries)
    node = topology.primary_of(slot_of(slot_key))
    if node is None:
        raise ConnectionError("No primary of the cluster has the slot of a key")
    return node
