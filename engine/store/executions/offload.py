"""Offloaded values: large values in a blob store, written before the step that names them."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from engine.errors import StorageFailed
from engine.executions.retry import jittered
from engine.ids.partitions import partition_of
from engine.process.account_semaphore import AccountSemaphore
from engine.process.byte_semaphore import ByteSemaphore
from engine.store.archive.archive import Archive
from engine.store.archive.no_archive import NoArchive
from engine.store.archive.state import ArchiverStates
from engine.store.executions.record_fields import parse_name
from engine.store.redis import batch_keys, keyspace
from engine.store.redis.client import Client

PREFIX = "outputs/"
OFFLOAD_FROM_BYTES = 262_144
"""Size above which a value is offloaded from the execution's record."""
PATIENCE_SECONDS = 30.0
"""Default time for one object, all tries together."""
PAUSES_SECONDS = (0.1, 0.3, 1.0)
AT_ONCE = 16
"""Most concurrent reads and writes of objects in one process."""
SHARE = 8
"""The same for one account."""
COPIED_BYTES = 67_108_864
"""Most bytes of objects that one process copies at once."""
BEGUN_WITH = re.compile(r"[a-z]+-(\d{1,15})\.", re.ASCII)
"""Prefix of the names of values that an execution begins with."""
ACCEPTING_MS = 3_600_000
"""Age up to which such a value may belong to an execution during its acceptance."""

T = TypeVar("T")


class BlobStore(Protocol):
    """Storage of objects. Every call may raise StorageFailed."""

    async def write(self, key: str, data: bytes) -> None:
        """Store an object atomically, replacing an existing one."""
        ...

    async def read(self, key: str) -> bytes:
        """Return the whole object. Raises FileNotFoundError."""
        ...

    async def delete(self, *keys: str) -> None:
        """Remove objects; missing ones are ignored."""
        ...

    async def remove_all(self, prefix: str) -> None:
        """Remove all objects with this prefix, which ends with a slash."""
        ...

    def names(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        """Yield the keys with this prefix, which ends with a slash, in batches."""
        ...


class NoBlobStore:
    """Absent storage, for callers without large values."""

    async def write(self, key: str, data: bytes) -> None:
        raise StorageFailed

    async def read(self, key: str) -> bytes:
        raise StorageFailed

    async def delete(self, *keys: str) -> None:
        raise StorageFailed

    async def remove_all(self, prefix: str) -> None:
        raise StorageFailed

    async def names(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        raise StorageFailed
        yield ()


def is_large(size: int) -> bool:
    """Return whether a value of this size is offloaded."""
    return size > OFFLOAD_FROM_BYTES


def make_inputs_name(at_ms: int, size: int) -> str:
    """Return the object name of an execution's inputs, stored at this time."""
    return f"inputs-{at_ms}.{size}"


def make_seed_name(at_ms: int, number: int, size: int) -> str:
    """Return the object name of another value that an execution begins with."""
    return f"seed-{at_ms}.{number}.{size}"


def make_name(claim: str, index: int, size: int) -> str:
    """Return the object name of a node's output; `claim` is the writer's `object_prefix`.

    The name includes the size in bytes, which reveals damage and allows counting without reading.
    """
    return f"{claim}.{index}.{size}"


def make_batch_name(claim: str, index: int, number: int, size: int) -> str:
    """Return the name of one of several objects that a claim stores for a node."""
    return f"{claim}.{index}.k{number}.{size}"


def make_child_name(claim: str, node: int, index: int, size: int) -> str:
    """Return the name of the parent's object with a child's result, stored under this claim."""
    return f"{claim}.{node}.r{index}.{size}"


def make_part(name: str, start: int, size: int) -> str:
    """Return the name of a part of an object."""
    return f"{name}:{start}:{size}"


def size_of(name: str) -> int:
    """Return the size of the named object or part in bytes; 0: not a valid name."""
    size = name.replace(":", ".").rpartition(".")[2]
    return int(size) if size.isdecimal() else 0


def object_of(name: str) -> str:
    """Return the object name of a value, without its part."""
    return name.partition(":")[0]


def part_of(name: str, data: bytes) -> bytes:
    """Return the named value out of the object's bytes."""
    start = name.partition(":")[2].partition(":")[0]
    return data[int(start) : int(start) + size_of(name)] if start.isdecimal() else data


class OffloadedValues:
    """Writes, reads and removes the large values of executions.

    Objects of lost or fenced steps are named in no record. They are removed with the others when
    the execution is removed, or by a later sweep.
    """

    def __init__(
        self, client: Client, blob_store: BlobStore, archive: Archive | None = None
    ) -> None:
        self._client = client
        self._blob_store = blob_store
        self._archive = archive or NoArchive(ArchiverStates(client).database_id)
        self._slots = AccountSemaphore(AT_ONCE, SHARE)
        self._copied = ByteSemaphore(COPIED_BYTES)

    async def put(
        self,
        account_id: str,
        execution_id: str,
        name: str,
        data: bytes,
        *,
        seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Store a value, with retries for a limited time. Raises StorageFailed."""
        key = f"{_prefix(account_id, execution_id)}{name}"
        await self._patiently(account_id, lambda: self._blob_store.write(key, data), seconds)

    async def read(
        self, account_id: str, execution_id: str, name: str, *, seconds: float = PATIENCE_SECONDS
    ) -> bytes:
        """Return an object. Raises FileNotFoundError when gone or damaged, else StorageFailed."""
        size = size_of(name)
        key = f"{_prefix(account_id, execution_id)}{name}"
        if not size:
            raise FileNotFoundError
        data = await self._patiently(account_id, lambda: self._blob_store.read(key), seconds)
        if len(data) != size:
            raise FileNotFoundError
        return data

    async def open_value(self, account_id: str, execution_id: str, value: bytes) -> bytes:
        """Return a value of a record, or the object that it names, like `read`."""
        name = parse_name(value)
        return value if name is None else await self.read(account_id, execution_id, name)

    async def read_field(self, account_id: str, execution_id: str, field: str) -> bytes | None:
        """Return a value of an execution's record, like `open_value`; None: it has none."""
        key = keyspace.execution(account_id, execution_id)
        value: bytes | None = await self._client.send("HGET", key, field)
        return None if value is None else await self.open_value(account_id, execution_id, value)

    @contextlib.asynccontextmanager
    async def room_for_copy(self, size: int) -> AsyncIterator[None]:
        """Hold memory for the copy of an object. Raises StorageFailed if none is free in time."""
        held = min(size, COPIED_BYTES)
        try:
            await self._copied.acquire(held, PATIENCE_SECONDS)
        except TimeoutError:
            raise StorageFailed from None
        try:
            yield
        finally:
            self._copied.release(held)

    async def remove(self, account_id: str, execution_id: str) -> None:
        """Remove all values of an execution. Raises StorageFailed."""
        await self._blob_store.remove_all(_prefix(account_id, execution_id))

    async def remove_one(self, account_id: str, execution_id: str, name: str) -> None:
        """Remove one value of an execution. Raises StorageFailed."""
        await self._blob_store.delete(f"{_prefix(account_id, execution_id)}{name}")

    async def remove_dropped(self, account_id: str, execution_id: str) -> None:
        """Remove the values of an ended execution whose record has dropped them.

        The result stays. Raises StorageFailed.
        """
        prefix = _prefix(account_id, execution_id)
        async for keys in self._blob_store.names(prefix):
            await self._delete_dropped((account_id, execution_id), keys)

    async def sweep(self) -> int:
        """Remove values of executions without a record; return the number of executions.

        A row of the history is a record too, and so is that of a batch, which has values likewise.
        Values that the record of an ended execution has dropped are removed as well. Accounts
        without a record are skipped, since another installation may use the same storage. Recent
        values that executions begin with are skipped too, since they are stored before. Raises
        Unavailable.
        """
        removed = 0
        async for names in self._blob_store.names(PREFIX):
            now = int(time.time() * 1000)
            owned: dict[tuple[str, str], list[str]] = {}
            for name in names:
                if not _may_be_accepted(name, now):
                    owned.setdefault(_owner(name), []).append(name)
            gone = set(await self._gone(owned))
            for owner, keys in owned.items():
                if owner in gone:
                    await self.remove(*owner)
                    removed += 1
                elif all(owner):
                    await self._delete_dropped(owner, keys)
        return removed

    async def _delete_dropped(self, owner: tuple[str, str], keys: Sequence[str]) -> None:
        """Delete those of an execution's objects that its record has dropped."""
        key = keyspace.execution(*owner)
        dropped, result = await self._client.send("HMGET", key, "dropped", "result")
        if dropped is not None:
            kept = f"{_prefix(*owner)}{parse_name(result)}"
            await self._blob_store.delete(*(each for each in keys if each != kept))

    async def _gone(self, owners: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        complete = [owner for owner in owners if all(owner)]
        replies = await asyncio.gather(
            *(
                self._client.send("EXISTS", keyspace.execution(*owner), batch_keys.batch(*owner))
                for owner in complete
            ),
            *(
                self._client.send("HEXISTS", keyspace.accounts(partition_of(owner[0])), owner[0])
                for owner in complete
            ),
        )
        here, ours = replies[: len(complete)], replies[len(complete) :]
        gone = [
            owner
            for owner, is_here, is_ours in zip(complete, here, ours, strict=True)
            if is_ours and not is_here
        ]
        if not gone:
            return gone
        await self._archive.require()
        archived = await self._archive.known(gone)
        return [owner for owner in gone if owner not in archived]

    async def _patiently(
        self, account_id: str, call: Callable[[], Awaitable[T]], seconds: float
    ) -> T:
        try:
            async with asyncio.timeout(seconds), self._slots.slot(account_id):
                for pause in PAUSES_SECONDS:
                    try:
                        return await call()
                    except StorageFailed:
                        await asyncio.sleep(jittered(pause))
                return await call()
        except TimeoutError:
            raise StorageFailed from None


def _prefix(account_id: str, execution_id: str) -> str:
    return f"{PREFIX}{account_id}/{execution_id}/"


def _may_be_accepted(key: str, now: int) -> bool:
    """Return whether the object's execution may not be on record yet."""
    stored = BEGUN_WITH.match(key.rpartition("/")[2])
    return stored is not None and abs(now - int(stored[1])) < ACCEPTING_MS


def _owner(key: str) -> tuple[str, str]:
    account_id, _, rest = key.removeprefix(PREFIX).partition("/")
    execution_id, slash, _ = rest.partition("/")
    return account_id, execution_id if slash else ""
