"""The last hour of the installation: its next sample, and its samples with the seconds since."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.services.installation_series.counting import MetricValues, counts_of, make_sample, pick
from engine.services.installation_series.facts import read_facts
from engine.services.metrics.publishing import GONE_SECONDS
from engine.store import Store
from engine.store.metrics.installation_sample import InstallationSample, combine
from engine.store.metrics.last_hour import HOUR_MS, SAMPLE_SECONDS, LastCounts
from engine.store.metrics.snapshots import Snapshot, parse_all

GATEWAY = "gateway-"
"""Start of the names of gateways among processes."""
LEAST_SECONDS = 2.0
"""Shortest time of a sample that ends now; processes publish their counts about as often."""

LATE_SECONDS = 3 * SAMPLE_SECONDS
"""Age of the last sample from which on no worker seems to put any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHourSeries:
    """Samples of the last hour."""

    at: int
    """In milliseconds of Redis's clock."""
    samples: Sequence[InstallationSample]
    """Oldest first; times without a leading worker have none."""
    latest: InstallationSample | None
    """Counts since the last sample, and the state now; None right after it."""
    totals: LastCounts
    """Counts of all processes now."""

    def last(self, seconds: float) -> InstallationSample | None:
        """Return one sample of at least the last seconds, as far as there are samples.

        None where the last one is old.
        """
        kept: list[InstallationSample] = [] if self.latest is None else [self.latest]
        since = self.at - int(seconds * 1000)
        late = self.at - LATE_SECONDS * 1000
        for each in reversed(self.samples):
            if each.at <= (since if kept else min(since, late)):
                break
            kept.insert(0, each)
        return combine(kept) if kept else None


async def take_sample(store: Store) -> float:
    """Put the sample of the current ten seconds, unless it is there.

    Returns the seconds until the next one is due. Raises Unavailable.
    """
    (snapshots, now), before = await asyncio.gather(_snapshots(store), store.last_hour.totals())
    slot_ms = SAMPLE_SECONDS * 1000
    if now // slot_ms > before.at // slot_ms or now < before.at:
        families = await _pick(snapshots)
        sample = await _make(store, snapshots, families, before, now)
        await store.last_hour.put(sample, now, counts_of(families), before)
    return (slot_ms - now % slot_ms) / 1000


async def read_series(store: Store, earlier: LastCounts | None = None) -> LastHourSeries:
    """Return the samples of the last hour, and the counts since. Raises Unavailable.

    Where no worker puts samples, as while one of the version before leads, the counts since
    `earlier` are the latest sample.
    """
    (snapshots, _), (samples, before, now) = await asyncio.gather(
        _snapshots(store), store.last_hour.read()
    )
    if earlier is not None and now - before.at > LATE_SECONDS * 1000:
        before = earlier
    latest = None
    families = await _pick(snapshots)
    if now - before.at >= LEAST_SECONDS * 1000:
        latest = await _make(store, snapshots, families, before, now)
    totals = LastCounts(at=now, families=counts_of(families))
    return LastHourSeries(at=now, samples=samples, latest=latest, totals=totals)


async def _make(
    store: Store,
    snapshots: Mapping[str, Snapshot],
    families: Sequence[Any],
    before: LastCounts,
    now: int,
) -> InstallationSample | None:
    """Return the sample since `before`; None where that is no time of the last hour."""
    if not 0 < now - before.at <= HOUR_MS:
        return None
    gateways = [
        name
        for name, each in snapshots.items()
        if name.startswith(GATEWAY) and each.at > now // 1000 - GONE_SECONDS
    ]
    facts = await read_facts(store, MetricValues(families), gateways=len(gateways))
    seconds = (now - before.at) / 1000
    return await asyncio.to_thread(
        make_sample, families, before.families, at=now, seconds=seconds, facts=facts
    )


async def _pick(snapshots: Mapping[str, Snapshot]) -> list[Any]:
    """Return the sum of snapshots; a thread makes it, as many processes have some 100,000 samples.

    The event loop walks executions meanwhile.
    """
    return await asyncio.to_thread(pick, [each.samples for each in snapshots.values()])


async def _snapshots(store: Store) -> tuple[Mapping[str, Snapshot], int]:
    """Return the snapshots of all processes and of ended ones, and Redis's time in milliseconds."""
    found, _ = await store.snapshots.all()
    now = await store.leases.now()
    return await asyncio.to_thread(parse_all, found), now
