"""Processes of an older version, which must have gone before the schema of the store is raised.

Every process tells its version and the newest schema that it knows in its metrics. Release 0.1.0
tells neither.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.services.metrics.publishing import GONE_SECONDS
from engine.store import Store
from engine.store.metrics.snapshots import Snapshot, is_process, parse
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA
from engine.telemetry.metrics import PROCESSES

FAMILY = next(iter(PROCESSES.describe())).name


@dataclass(frozen=True, slots=True, kw_only=True)
class OldProcess:
    """Process that lives and does not know the newest schema."""

    name: str
    version: str
    """Empty: it tells none, as release 0.1.0 and processes that have just begun."""


async def find_old_processes(store: Store) -> Sequence[OldProcess]:
    """Return them by name: gateways, workers and archivers. Raises Unavailable.

    A process counts as alive for half a minute after its last sign of life.
    """
    found = {name: _told(snapshot) for name, snapshot in (await _find_living(store)).items()}
    return [
        OldProcess(name=name, version=version)
        for name, (version, schema) in found.items()
        if schema < SCHEMA
    ]


async def find_living_processes(store: Store) -> Sequence[str]:
    """Return the names of all living processes like `find_old_processes`."""
    return list(await _find_living(store))


async def _find_living(store: Store) -> Mapping[str, Snapshot | None]:
    """Return the living processes by name, with their last snapshots if they have any."""
    (stored, now), leases = await asyncio.gather(store.snapshots.all(), store.leases.workers())
    told = {name: parse(data) for name, data in stored.items() if is_process(name)}
    alive = {name for name, each in told.items() if each.at >= now - GONE_SECONDS}
    alive |= {name for name, ends in leases.items() if ends > now * 1_000}
    return {name: told.get(name) for name in sorted(alive)}


def _told(snapshot: Snapshot | None) -> tuple[str, int]:
    """Return version and newest known schema of a process."""
    for family, _, _, rows, *_ in snapshot.samples if snapshot is not None else ():
        if family == FAMILY and rows:
            labels = rows[0][1]
            return str(labels["version"]), int(labels["schema"])
    return "", FIRST_SCHEMA
