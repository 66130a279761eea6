"""State of the installation for its operators: processes, queues and history."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.ids import partitions
from engine.services.metrics.publishing import GONE_SECONDS
from engine.store import Store
from engine.store.archive.state import HistoryHealth
from engine.store.dispatch.hints import DELIVER_ACTOR, QUEUES, WALK_ACTOR, parse_hint
from engine.store.metrics.snapshots import Snapshot, is_process, parse
from engine.store.redis import keyspace
from engine.store.redis.info import RedisMemory, read_memory

GATEWAY = "gateway-"
"""Start of the names of gateways among processes."""
MOST_READS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A worker with a lease; its figures are None before it has published them."""

    id: str
    is_alive: bool
    lease_ends_at: int
    """In milliseconds; in the past for a dead worker that still holds executions."""
    executions: int
    """Executions that it holds."""
    memory: int | None
    """Bytes of their data."""
    memory_limit: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """A queue of hints."""

    name: str
    waiting: int
    oldest_at: int | None
    """Creation time of the subject of its first hint, in milliseconds; None: it is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationState:
    """Whole state; times are milliseconds of Redis's clock."""

    at: int
    workers: list[WorkerState]
    gateways: list[str]
    queues: list[QueueState]
    executions_due: int
    """Executions with a scheduled hint, future retries included."""
    deliveries_due: int
    redis: RedisMemory
    history: HistoryHealth


async def read_installation(store: Store) -> InstallationState:
    """Return the state. Raises Unavailable."""
    (stored, _), history, redis, queues, executions_due, deliveries_due = await asyncio.gather(
        store.snapshots.all(),
        store.archiver_states.health(),
        read_memory(store.client),
        _queues(store),
        store.leases.due(),
        store.deliveries.due(),
    )
    snapshots = {name: parse(data) for name, data in stored.items() if is_process(name)}
    now = history.now
    return InstallationState(
        at=now,
        workers=await _workers(store, snapshots, now),
        gateways=sorted(
            name
            for name, each in snapshots.items()
            if name.startswith(GATEWAY) and each.at * 1_000 > now - GONE_SECONDS * 1_000
        ),
        queues=queues,
        executions_due=executions_due,
        deliveries_due=deliveries_due,
        redis=redis,
        history=history,
    )


async def _workers(store: Store, snapshots: Mapping[str, Snapshot], now: int) -> list[WorkerState]:
    leases = sorted((await store.leases.workers()).items())
    counts = await _held_counts(store, [name for name, _ in leases], snapshots)
    return [
        WorkerState(
            id=name,
            is_alive=ends > now,
            lease_ends_at=ends,
            executions=count,
            memory=_gauge(snapshots.get(name), "headrace_execution_memory_bytes"),
            memory_limit=_gauge(snapshots.get(name), "headrace_execution_memory_limit_bytes"),
        )
        for (name, ends), count in zip(leases, counts, strict=True)
    ]


async def _held_counts(
    store: Store, workers: Sequence[str], snapshots: Mapping[str, Snapshot]
) -> Sequence[int]:
    """Return the number of executions that each worker holds.

    Where counting costs many reads, the workers' own last figures stand for it.
    """
    if len(workers) * partitions.count() <= MOST_READS:
        return await asyncio.gather(*map(store.leases.held_count, workers))
    return [_gauge(snapshots.get(name), "headrace_executions_held") or 0 for name in workers]


def _gauge(snapshot: Snapshot | None, name: str) -> int | None:
    for family, _, _, samples, *_ in snapshot.samples if snapshot is not None else ():
        if family == name:
            return sum(int(value) for _, _, value, *_ in samples)
    return None


async def _queues(store: Store) -> list[QueueState]:
    depths, heads = await asyncio.gather(store.hints.depths(), store.hints.heads())
    oldest = await asyncio.gather(*(_created_at(store, heads[name]) for name in QUEUES))
    return [
        QueueState(name=name, waiting=depths[name], oldest_at=at)
        for name, at in zip(QUEUES, oldest, strict=True)
    ]


async def _created_at(store: Store, hint: bytes | None) -> int | None:
    """Return the creation time of the subject of a hint, if it is on record."""
    if hint is None:
        return None
    try:
        actor, argument = parse_hint(hint)
        key_of = {WALK_ACTOR: keyspace.execution, DELIVER_ACTOR: keyspace.delivery}[actor]
        key = key_of(*keyspace.parse_reference(argument))
    except (ValueError, KeyError):
        return None  # a hint without such a subject, or of a later release
    created = await store.client.send("HGET", key, "created")
    return None if created is None else int(created)
