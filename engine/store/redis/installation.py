"""Marker of an installation, required in a Redis before it is used.

A hash names the installation by an id derived from its secret key, which every process with the key
knows. A Redis that was emptied, restarted on another folder or exchanged has no marker or another
one, and is refused until the right one is back. A process without a key cannot tell installations
apart and accepts any marker.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

import hiredis

from engine.access.sealing import VARIABLE, Sealer, Unsealable
from engine.errors import SchemaTooNew, Unavailable, WrongStore
from engine.ids import partitions
from engine.ids.partitions import DEFAULT_COUNT
from engine.store.redis import errors, keyspace
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.marking import mark_partitions
from engine.store.redis.connection import Argument, Connection, connect, pack
from engine.store.redis.scripts import SCRIPTS

SCHEMA = 3
"""Newest schema version that this code knows, with which it begins an installation.

A Redis with a larger number is refused. One with a smaller number is served beside processes of the
release before, and `headrace migrate` raises it.
"""
FIRST_SCHEMA = 1
"""Schema version of release 0.1.0."""
UNKNOWN_SCHEMA = 2**31 - 1
"""Schema version that no release knows."""
RESTORING = "restoring"
"""Field of the marker while a backup is being restored into the Redis."""
SCHEMA_TOO_NEW = "SCHEMA_TOO_NEW"
"""Word by which operators and their alerts recognise a store with an unknown schema."""
CHECK_SECONDS = 1.0
LOG_SECONDS = 30.0
SEAL_PLACE = ("installation",)
RIGHT_FOLDER = "Start Redis on the right data folder, or "
NO_MARKER: tuple[str, ...] = ()

log = logging.getLogger(__name__)


class MarkOutcome(StrEnum):
    """Outcome of marking a Redis."""

    BEGUN = "begun"
    KEPT = "kept"
    """The marker of this installation was there already."""
    ADOPTED = "adopted"
    """The marker of another key was replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Stored marker. `created_at` is in milliseconds since the epoch.

    `ids` has one id for each secret key of the installation, newest first.
    """

    ids: tuple[str, ...]
    schema: int
    partitions: int
    created_at: int
    is_restoring: bool = False
    """Whether a backup is being restored, or a restore was interrupted."""


class Guard:
    """Permits a connection only while its Redis has this installation's marker."""

    def __init__(self, address: RedisAddress, sealer: Sealer) -> None:
        self._address = address
        self._place = str(address)
        self._sealer = sealer
        self._ids = sealer.installation_ids
        self._refusal: WrongStore | None = None
        self._refused_at = 0.0
        self._logged_at = -LOG_SECONDS
        self.schema = 0
        """Schema version of the last accepted marker, at most a second old; 0: none yet."""
        self._schema_refusal: SchemaTooNew | None = None
        self._stop: Callable[[], None] | None = None

    def stop_on_new_schema(self, stop: Callable[[], None]) -> None:
        """Call `stop` once the Redis has a schema that is unknown here, or had one already."""
        self._stop = stop
        if self._schema_refusal is not None:
            stop()

    @property
    def knows_schema(self) -> bool:
        """Whether the Redis has had no schema that is unknown here."""
        return self._schema_refusal is None

    def raise_for_schema(self) -> None:
        """Raise SchemaTooNew if the Redis has had a schema that is unknown here."""
        if self._schema_refusal is not None:
            raise self._schema_refusal

    @property
    def refusal(self) -> WrongStore | None:
        """Refusal of a check within the last second: a refused Redis is asked once a second."""
        if self._refusal is None or time.monotonic() - self._refused_at > CHECK_SECONDS:
            return None
        return self._refusal

    async def admit(self, connection: Connection) -> None:
        """Check a new connection before its first command; the process learns its partitions.

        Raises WrongStore, ConnectionError or hiredis.ReplyError.
        """
        try:
            marker = self.check(await read_marker(connection))
            await self._add_ids(connection, marker)
        except WrongStore as error:
            self._refuse(error)
            raise
        partitions.learn(marker.partitions)
        if self._refusal is not None:
            log.warning("the store is this installation's again", extra={"redis": self._place})
        self._refusal = None

    def watch(self, connection: Connection) -> None:
        """Check the connection once a second until it ends; close it on a refusal."""
        self._check_later(connection)

    def _check_later(self, connection: Connection) -> None:
        asyncio.get_running_loop().call_later(CHECK_SECONDS, self._check_again, connection)

    def check(self, marker: Marker | None) -> Marker:
        """Return the marker. Raises WrongStore if it is another's or of an unknown form."""
        if marker is None:
            raise self._wrong(
                "holds no Headrace installation",
                f"{RIGHT_FOLDER}run `headrace init` to begin an empty installation.",
            )
        self._check_form(marker)
        if not self._is_ours(marker):
            raise self._foreign()
        self._check_learned(marker)
        self.schema = marker.schema
        return marker

    async def mark(
        self, connection: Connection, *, adopts: bool, partition_count: int | None = None
    ) -> tuple[MarkOutcome, Marker]:
        """Mark the Redis as this installation's; `adopts` replaces another key's marker.

        `partition_count` is that of an installation that begins, and must be that of one that is
        there; None stands for the default, or for any.

        Raises WrongStore, SettingError without a key, ConnectionError or hiredis.ReplyError.
        """
        self._sealer.require_key()
        before = await read_marker(connection)
        if before is not None:
            self._check_form(before)
            self._check_learned(before)
        is_ours = await self._opens_seal(connection) if before is None else self._is_ours(before)
        if not is_ours:
            if not adopts:
                raise self._foreign()
            self._check_wanted(before, partition_count)
            await self._check_accounts(connection, before, partition_count)
            await self._mark(connection, before, self._ids, partition_count)
            await self._request_at(connection, "DEL", keyspace.seal())
            outcome = MarkOutcome.ADOPTED
        elif before is not None:
            self._check_wanted(before, partition_count)
            await self._add_ids(connection, before)
            outcome = MarkOutcome.KEPT
        else:
            await self._check_accounts(connection, None, partition_count)
            await self._mark(connection, None, self._ids, partition_count)
            outcome = MarkOutcome.BEGUN
        # Another process may have marked it at the same time.
        marker = self.check(await read_marker(connection))
        self._check_wanted(marker, partition_count)
        partitions.learn(marker.partitions)
        return outcome, marker

    def _check_again(self, connection: Connection) -> None:
        if connection.lost.done():
            return
        connection.write(
            [pack("HGETALL", keyspace.installation())], [partial(self._see, connection)]
        )
        self._check_later(connection)  # `watch` may be another one, of the connections of others

    def _see(self, connection: Connection, reply: Any) -> None:
        if isinstance(reply, Exception):
            return
        try:
            self.check(parse_marker(reply))
        except WrongStore as error:
            self._refuse(error)
            connection.abort()

    def _refuse(self, error: WrongStore) -> None:
        self._refusal = error
        self._refused_at = time.monotonic()
        if isinstance(error, SchemaTooNew) and self._schema_refusal is None:
            self._schema_refusal = error
            if self._stop is not None:
                self._stop()
        if self._refused_at - self._logged_at >= LOG_SECONDS:
            self._logged_at = self._refused_at
            log.error("the store is refused", extra={"seen": error.seen, "fix": error.fix})

    async def _add_ids(self, connection: Connection, marker: Marker) -> None:
        """Add the ids of new keys, so that processes with those alone are accepted."""
        new = tuple(each for each in self._ids if each not in marker.ids)
        if new:
            await self._mark(connection, marker, new + marker.ids)

    async def _mark(
        self,
        connection: Connection,
        before: Marker | None,
        ids: tuple[str, ...],
        partition_count: int | None = None,
    ) -> None:
        """Write the marker unless another process has changed it since the read."""
        command = SCRIPTS["mark_installation"].command(
            installation=keyspace.installation(),
            known_ids=" ".join(before.ids if before else NO_MARKER),
            ids=" ".join(ids),
            schema=before.schema if before else SCHEMA,
            partitions=before.partitions if before else partition_count or DEFAULT_COUNT,
        )
        await connection.request(*command)

    async def _request_at(
        self, connection: Connection, command: str, key: str, *words: Argument
    ) -> Any:
        """Send a command on a key, which a cluster may have at another primary."""
        if not self._address.is_cluster:
            return await connection.request(command, key, *words)
        other = await connect(self._address, slot_key=key)
        try:
            return await other.request(command, key, *words)
        finally:
            other.abort()

    async def _opens_seal(self, connection: Connection) -> bool:
        """Return whether a key of this process opens the stored seal."""
        seal = await self._request_at(connection, "GET", keyspace.seal())
        if seal is None:
            return True
        try:
            self._sealer.open(seal, SEAL_PLACE)
        except Unsealable:
            return False
        return True

    def _is_ours(self, marker: Marker) -> bool:
        return not self._ids or any(each in marker.ids for each in self._ids)

    def _check_form(self, marker: Marker) -> None:
        if marker.is_restoring:
            raise self._wrong(
                "is not restored whole",
                "Wait for `headrace restore` to end; if it was interrupted, empty the Redis "
                "(FLUSHDB) and restore again.",
            )
        if marker.schema > SCHEMA:
            raise SchemaTooNew(
                f"{SCHEMA_TOO_NEW}: The Redis at {self._place} was written by a newer Headrace "
                f"(schema {marker.schema}, known here: {SCHEMA}).",
                "Run that version here, or a later one: a schema is never lowered.",
            )
        if not partitions.is_count(marker.partitions):
            raise self._wrong(
                f"has {marker.partitions} partitions (known here: 1 to {partitions.MAX_COUNT})",
                "Install the version here that began the installation.",
            )

    def _check_learned(self, marker: Marker) -> None:
        learned = partitions.known()
        if learned is not None and marker.partitions != learned:
            raise self._wrong(
                f"has {marker.partitions} partitions (this process began with {learned})",
                f"{RIGHT_FOLDER}restart this process if the installation was begun anew.",
            )

    def _check_wanted(self, marker: Marker | None, partition_count: int | None) -> None:
        if marker is not None and partition_count not in (None, marker.partitions):
            raise self._wrong(
                f"has {marker.partitions} partitions, not {partition_count}",
                "The number is chosen once, when an installation begins: run `headrace init` "
                f"without --partitions or with {marker.partitions}, or on an empty Redis.",
            )

    async def _check_accounts(
        self, connection: Connection, before: Marker | None, partition_count: int | None
    ) -> None:
        """Refuse a number of partitions with which accounts that are there are not found."""
        if before is not None:
            return
        count = partition_count or DEFAULT_COUNT
        for account_id in await connection.request("ZRANGE", keyspace.account_ids(), 0, 0):
            partition = partitions.partition_among(account_id.decode(), count)
            key = keyspace.accounts(partition)
            is_there = await self._request_at(connection, "HEXISTS", key, account_id)
            if not is_there:
                raise self._wrong(
                    f"has lost its marker, and its accounts are not in {count} partitions",
                    "Run `headrace init --partitions N` with the number that it began with.",
                )

    def _foreign(self) -> WrongStore:
        return self._wrong(
            "holds another installation's data",
            f"{RIGHT_FOLDER}set {VARIABLE} to the key of that installation, beside a new one if "
            "you like (NEW,OLD).",
        )

    def _wrong(self, seen: str, fix: str) -> WrongStore:
        return WrongStore(f"The Redis at {self._place} {seen}.", fix)


async def mark(
    address: RedisAddress,
    sealer: Sealer,
    *,
    adopts: bool = False,
    partition_count: int | None = None,
) -> tuple[MarkOutcome, Marker]:
    """Mark the Redis at an address like `Guard.mark`. Raises Unavailable without a connection."""
    async with _connected(address) as connection:
        guard = Guard(address, sealer)
        outcome, marker = await guard.mark(
            connection, adopts=adopts, partition_count=partition_count
        )
        if address.is_cluster:
            await mark_partitions(address, marker.partitions, marker.created_at)
        return outcome, marker


async def find_marker(address: RedisAddress) -> Marker | None:
    """Return the marker of the Redis at an address, None without one. Raises Unavailable."""
    async with _connected(address) as connection:
        return await read_marker(connection)


@contextlib.asynccontextmanager
async def _connected(address: RedisAddress) -> AsyncIterator[Connection]:
    try:
        connection = await connect(address, slot_key=keyspace.installation())
    except (OSError, TimeoutError, ValueError, hiredis.HiredisError) as error:
        raise errors.unreachable(errors.describe(error)) from error
    try:
        yield connection
    except (OSError, TimeoutError, hiredis.ReplyError) as error:
        raise Unavailable(f"The marker of the store cannot be used right now: {error}") from error
    finally:
        connection.abort()


async def read_marker(connection: Connection) -> Marker | None:
    """Return the marker, None without one. Raises ConnectionError or hiredis.ReplyError."""
    return parse_marker(await connection.request("HGETALL", keyspace.installation()))


def parse_marker(fields: Mapping[bytes, bytes]) -> Marker | None:
    """Return the marker of a reply, None without one."""
    if not fields:
        return None
    return Marker(
        ids=tuple(fields.get(b"ids", b"").decode().split()),
        schema=_number(fields.get(b"schema", b"")),
        partitions=_number(fields.get(b"partitions", b"")),
        created_at=_number(fields.get(b"created", b"")),
        is_restoring=RESTORING.encode() in fields,
    )


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0
