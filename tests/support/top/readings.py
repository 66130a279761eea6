"""Readings of `headrace top`, made up."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.admin.top.reading import Reading
from engine.services.installation_series.series import LastHourSeries
from engine.services.installation_state import InstallationState, QueueState, WorkerState
from engine.store.archive.outbox import HistoryBacklog
from engine.store.archive.state import ArchiverState, HistoryHealth
from engine.store.metrics.installation_sample import (
    ActivityCounts,
    Durations,
    InstallationFacts,
    InstallationSample,
    Latencies,
    NodeTypeSample,
    ProviderSample,
)
from engine.store.metrics.last_hour import LastCounts
from engine.store.redis.info import RedisMemory

AT = 1_764_579_600_000
"""2025-12-01 09:00:00 UTC."""
NOTHING = HistoryBacklog(count=0, oldest_at=None)
FULL = 0.9


def worker(
    name: str = "host-1-aaaaaa", *, is_alive: bool = True, executions: int = 3
) -> WorkerState:
    """Return a worker."""
    return WorkerState(
        id=name,
        is_alive=is_alive,
        lease_ends_at=AT + (2_500 if is_alive else -1_000),
        executions=executions,
        memory=4_096,
        memory_limit=1_073_741_824,
    )


def queue(name: str, waiting: int = 0, age_seconds: float = 0.0) -> QueueState:
    """Return a queue."""
    oldest_at = AT - int(age_seconds * 1000) if waiting else None
    return QueueState(name=name, waiting=waiting, oldest_at=oldest_at)


def state(**changed: Any) -> InstallationState:
    """Return the state of an installation that works, but for the changes."""
    members: dict[str, Any] = {
        "at": AT,
        "workers": [worker()],
        "gateways": ["gateway-host-2-bbbbbb"],
        "queues": [queue("walk"), queue("bulk"), queue("deliver")],
        "executions_due": 2,
        "deliveries_due": 1,
        "redis": RedisMemory(used=64 * 1_048_576, limit=512 * 1_048_576),
        "history": history(),
    }
    return InstallationState(**{**members, **changed})


def history(state: ArchiverState | None = None, backlog: HistoryBacklog = NOTHING) -> HistoryHealth:
    """Return the health of the history."""
    return HistoryHealth(
        state=state or ArchiverState(seen_at=AT),
        executions=backlog,
        deliveries=NOTHING,
        occurrences=NOTHING,
        now=AT,
    )


def sample(
    at: int = AT,
    *,
    node_types: Sequence[NodeTypeSample] = (),
    providers: Sequence[ProviderSample] = (),
    breakers_open: Mapping[str, int] | None = None,
    **counts: Any,
) -> InstallationSample:
    """Return ten seconds of an installation."""
    members = {"completed": 125, "failed": 0, "requests": 250, **counts}
    return InstallationSample(
        at=at,
        seconds=10.0,
        counts=ActivityCounts(**members),
        facts=InstallationFacts(
            workers=1,
            held=3,
            slots=16,
            active=5,
            parked=4,
            breakers_open=dict(breakers_open or {}),
        ),
        latencies=Latencies(execution=Durations(4, 0.1, ((0.01, 0), (0.025, 4)))),
        node_types=tuple(node_types)
        or (NodeTypeSample("assistant", 120, 3, Durations(123, 61.5, ((0.25, 0), (0.5, 123)))),),
        providers=tuple(providers)
        or (ProviderSample("openai", {"ok": 120}, Durations(120, 40.0, ((0.25, 0), (0.5, 120)))),),
    )


def reading(recent: InstallationSample | None = None, **changed: Any) -> Reading:
    """Return a reading; `changed` are members of the state."""
    recent = recent or sample()
    totals = LastCounts(at=AT, families=[])
    return Reading(
        state=state(**changed),
        series=LastHourSeries(at=AT, samples=[recent], latest=None, totals=totals),
        recent=recent,
        minutes=recent,
    )


def reading_without_counts(**changed: Any) -> Reading:
    """Return the reading of an installation that has just begun."""
    totals = LastCounts(at=AT, families=[])
    return Reading(
        state=state(**changed),
        series=LastHourSeries(at=AT, samples=[], latest=None, totals=totals),
        recent=None,
        minutes=None,
    )
