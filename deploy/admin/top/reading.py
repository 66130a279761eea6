"""One reading of the installation: its state, its last seconds and its last minutes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from engine.services.installation_series.series import LEAST_SECONDS, LastHourSeries, read_series
from engine.services.installation_state import InstallationState, read_installation
from engine.store import Store
from engine.store.metrics.installation_sample import (
    InstallationFacts,
    InstallationSample,
    ProviderSample,
)
from engine.store.metrics.last_hour import LastCounts

RECENT_SECONDS = 10.0
"""Least time of which rates are shown."""
TABLE_SECONDS = 300.0
"""Time of which node types and providers are shown."""
READ_SECONDS = 5.0
"""Longest time of a reading."""
SLOW_HINT_MS = 10_000
"""Age of the first hint of a queue from which on nothing seems to take it."""
FAILING_SHARE = 0.5
MOST_NAMES = 5
"""Most names of a sentence."""
LEAST_CALLS = 5
"""Calls of a provider from which on its share of failures says something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """State and activity at one moment."""

    state: InstallationState
    series: LastHourSeries
    recent: InstallationSample | None
    """Rates of the last seconds, and the facts now; None where there are no counts yet."""
    minutes: InstallationSample | None
    """Node types and providers of the last minutes."""

    @property
    def problems(self) -> Sequence[str]:
        """Return a sentence for each thing that is wrong, the gravest first."""
        return [*_work_problems(self.state), *_store_problems(self), *_provider_problems(self)]


async def read(store: Store, earlier: LastCounts | None = None) -> Reading:
    """Read the installation; `earlier` are the counts of the reading before.

    Raises Unavailable, or TimeoutError where Redis does not answer.
    """
    async with asyncio.timeout(READ_SECONDS):
        state, series = await asyncio.gather(read_installation(store), read_series(store, earlier))
    return Reading(
        state=state,
        series=series,
        recent=series.last(RECENT_SECONDS),
        minutes=series.last(TABLE_SECONDS),
    )


async def read_with_rates(store: Store) -> Reading:
    """Read the installation, and once more where there are no counts to compare with."""
    reading = await read(store)
    if reading.recent is not None:
        return reading
    await asyncio.sleep(LEAST_SECONDS + 0.1)
    return await read(store, reading.series.totals)


def is_failing(provider: ProviderSample) -> bool:
    """Return whether most calls to a provider fail."""
    return provider.calls >= LEAST_CALLS and provider.failed >= FAILING_SHARE * provider.calls


def _work_problems(state: InstallationState) -> list[str]:
    found = []
    if not any(worker.is_alive for worker in state.workers):
        found.append("No worker is alive: runs are accepted and wait until one is started.")
    if dead := [worker.id for worker in state.workers if not worker.is_alive]:
        found.append(f"Gone, and their runs are being taken back: {_cut_short(dead)}.")
    for queue in state.queues:
        age_ms = 0 if queue.oldest_at is None else state.at - queue.oldest_at
        if queue.waiting and age_ms >= SLOW_HINT_MS:
            what = f"{queue.waiting:,} wait in {queue.name}, the first for {age_ms // 1000} s"
            found.append(f"{what}: start more workers, or look at their logs.")
    return found


def _store_problems(reading: Reading) -> list[str]:
    state, found = reading.state, []
    if state.redis.is_nearly_full:
        found.append(f"Redis is {state.redis.share:.0%} full: soon it takes no new runs.")
    if problem := state.history.problem():
        found.append(f"History: {problem}.")
    if reading.recent is None or reading.series.latest is None and not reading.series.samples:
        found.append("There are no samples: no worker of this version leads yet.")
    return found


def _provider_problems(reading: Reading) -> list[str]:
    rows = reading.minutes.providers if reading.minutes else ()
    failing = sorted(filter(is_failing, rows), key=lambda each: -each.failed)
    facts = reading.recent.facts if reading.recent else InstallationFacts()
    named = {each.provider for each in failing}
    uncalled = [name for name in facts.breakers_open if name not in named]
    found = []
    if len(failing) > 1:
        names = _cut_short([each.provider for each in failing])
        found.append(f"Providers that fail most calls: {names}.")
    for each in failing if len(failing) == 1 else ():
        calls = f"{each.failed:,} of {each.calls:,} calls failed"
        found.append(f"Provider {each.provider}: {calls} in {TABLE_SECONDS / 60:.0f} minutes.")
    if uncalled:
        found.append(f"Workers do not call, since calls failed: {_cut_short(uncalled)}.")
    return found


def _cut_short(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"
