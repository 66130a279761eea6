"""Guard of a cluster: one marker names the installation, and each partition has a mark of its own.

A primary that was emptied, or exchanged for another cluster's, lacks the marks of the partitions
whose slots it serves, and is refused. The others go on. A slot that moves takes its mark along.
"""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

import hiredis

from engine.access.sealing import Sealer
from engine.errors import WrongStore
from engine.ids import partitions
from engine.store.redis import errors, keyspace
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.cluster.routes import slot_of
from engine.store.redis.cluster.topology import ClusterTopology
from engine.store.redis.connection import Connection, connect, pack
from engine.store.redis.installation import (
    CHECK_SECONDS,
    LOG_SECONDS,
    RIGHT_FOLDER,
    Guard,
    Marker,
)

ELSEWHERE = frozenset({"MOVED", "ASK", "TRYAGAIN"})
"""Words of a primary that does not serve the slot, or not alone."""
MOST_READ = 3
"""Marks that are looked for before a primary counts as one without a partition."""

log = logging.getLogger(__name__)


class ClusterGuard(Guard):
    """Permits connections to a cluster with this installation's marker.

    A connection of its own checks the marker once a second, for as long as there are admitted
    connections; a refusal closes them all.
    """

    def __init__(self, address: RedisAddress, sealer: Sealer) -> None:
        super().__init__(address, sealer)
        self._marker: Marker | None = None
        self._at_marker: Connection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._admitted: set[Connection] = set()

    async def admit(self, connection: Connection) -> None:
        """Check the installation before the first command of any connection to the cluster.

        Raises WrongStore, ConnectionError or hiredis.ReplyError.
        """
        if self._at_marker is None or self._at_marker.lost.done():
            opening = self._open_soon()
            if self._marker is None:
                await asyncio.shield(opening)

    def watch(self, connection: Connection) -> None:
        """Close the connection when the cluster is refused."""
        self._admitted.add(connection)
        connection.lost.add_done_callback(lambda _: self._dismiss(connection))

    def check(self, marker: Marker | None) -> Marker:
        """Return the marker. Raises WrongStore like `Guard.check`."""
        self._marker = super().check(marker)
        return self._marker

    def is_own(self, mark: Mapping[bytes, bytes]) -> bool:
        """Return whether the mark of a partition is of this installation."""
        return self._marker is None or mark.get(b"created") == b"%d" % self._marker.created_at

    async def close(self) -> None:
        """Close the connection that checks the marker."""
        self._admitted.clear()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._at_marker is not None:
            self._at_marker.abort()
            await self._at_marker.lost

    def _open_soon(self) -> "asyncio.Task[None]":
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="marker of the cluster")
            self._opening.add_done_callback(self._end_opening)
        return self._opening

    def _end_opening(self, opening: "asyncio.Task[None]") -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is not None:
            self._open_later()

    async def _open(self) -> None:
        connection = await connect(self._address, slot_key=keyspace.installation())
        try:
            await super().admit(connection)
        except BaseException:
            connection.abort()
            raise
        self._at_marker = connection
        self._check_later(connection)
        connection.lost.add_done_callback(lambda _: self._open_later())

    def _open_later(self) -> None:
        asyncio.get_running_loop().call_later(CHECK_SECONDS, self._open_again)

    def _open_again(self) -> None:
        if self._admitted:
            self._open_soon()

    def _dismiss(self, connection: Connection) -> None:
        self._admitted.discard(connection)
        if not self._admitted and self._at_marker is not None:
            self._at_marker.abort()

    def _see(self, connection: Connection, reply: Any) -> None:
        if _is_elsewhere(reply):
            connection.abort()  # the next one is to the primary that has the marker now
        else:
            super()._see(connection, reply)

    def _refuse(self, error: WrongStore) -> None:
        self._marker = None
        super()._refuse(error)
        for connection in list(self._admitted):
            connection.abort()


class NodeGuard:
    """Permits connections to one primary while the marks of its partitions are right."""

    def __init__(self, guard: ClusterGuard, topology: ClusterTopology, node: RedisNode) -> None:
        self._guard = guard
        self._topology = topology
        self._node = node
        self._next = 0
        self._refusal: WrongStore | None = None
        self._refused_at = 0.0
        self._logged_at = -LOG_SECONDS

    @property
    def refusal(self) -> WrongStore | None:
        """Refusal within the last second, of the cluster or of this primary."""
        if self._refusal is None or time.monotonic() - self._refused_at > CHECK_SECONDS:
            return self._guard.refusal
        return self._refusal

    async def admit(self, connection: Connection) -> None:
        """Check a new connection before its first command.

        Raises WrongStore, ConnectionError or hiredis.ReplyError.
        """
        await self._guard.admit(connection)
        for partition in islice(self._partitions(), MOST_READ):
            try:
                mark = await connection.request("HGETALL", keyspace.partition_mark(partition))
            except hiredis.ReplyError as error:
                if not _is_elsewhere(error):
                    raise
                self._topology.suspect()
                continue
            self._check(partition, mark)
            break
        if self._refusal is not None:
            log.warning("a primary is this installation's again", extra={"redis": self._place})
        self._refusal = None

    def watch(self, connection: Connection) -> None:
        """Check the connection once a second until it ends; close it on a refusal."""
        self._guard.watch(connection)
        self._check_later(connection)

    def _check_later(self, connection: Connection) -> None:
        asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check_again, connection)

    def _check_again(self, connection: Connection) -> None:
        if connection.lost.done():
            return
        for number in islice(self._partitions(), 1):
            command = pack("HGETALL", keyspace.partition_mark(number))
            connection.write([command], [partial(self._see, connection, number)])
        self._check_later(connection)

    def _see(self, connection: Connection, partition: int, reply: Any) -> None:
        if isinstance(reply, Exception):
            if _is_elsewhere(reply):
                self._topology.suspect()
            return
        try:
            self._check(partition, reply)
        except WrongStore:
            connection.abort()

    def _check(self, partition: int, mark: Mapping[bytes, bytes]) -> None:
        if self._guard.is_own(mark):
            return
        self._refusal = WrongStore(
            f"The primary at {self._place} lacks this installation's data of partition "
            f"{partition}.",
            f"{RIGHT_FOLDER}run `headrace init` to go on without the data that it had.",
        )
        self._refused_at = time.monotonic()
        if self._refused_at - self._logged_at >= LOG_SECONDS:
            self._logged_at = self._refused_at
            seen = {"seen": self._refusal.seen, "fix": self._refusal.fix}
            log.error("a primary is refused", extra=seen)
        raise self._refusal

    def _partitions(self) -> Iterator[int]:
        """Yield the partitions that this primary serves, beginning after the last one yielded."""
        count = partitions.known() or 0
        for number in range(self._next, self._next + count):
            partition = number % count
            if self._topology.primary_of(slot_of(keyspace.partition_mark(partition))) == self._node:
                self._next = partition + 1
                yield partition

    @property
    def _place(self) -> str:
        return str(self._node)


def _is_elsewhere(reply: Any) -> bool:
    """Return whether a reply says that another primary has the key, or will have it soon."""
    is_error = isinstance(reply, hiredis.ReplyError)
    return is_error and errors.parse_word(str(reply)) in ELSEWHERE
