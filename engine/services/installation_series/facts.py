"""State of the installation at the time of a sample, by a bounded number of reads."""

import asyncio

from engine.services.installation_series.counting import MOST_ROWS, MetricValues
from engine.services.metrics import facts
from engine.store import Store
from engine.store.metrics.installation_sample import InstallationFacts


async def read_facts(store: Store, gauges: MetricValues, *, gateways: int) -> InstallationFacts:
    """Return the state; `gauges` are those of all processes together. Raises Unavailable."""
    held = gauges.value("headrace_executions_held")
    waiting, families = await asyncio.gather(store.hints.depths(), facts.read(store, held))
    read = MetricValues(families)
    return InstallationFacts(
        workers=read.total(facts.WORKERS_ALIVE.name),
        gateways=gateways,
        waiting=waiting,
        oldest_hint_seconds=read.value(facts.OLDEST_HINT.name),
        held=round(held),
        slots=gauges.total("headrace_worker_slots"),
        active=read.total(facts.EXECUTIONS_ACTIVE.name),
        parked=read.total(facts.EXECUTIONS_PARKED.name),
        due_lag_seconds=max(read.value(facts.DUE_LAG.name), read.value(facts.SCHEDULE_LAG.name)),
        deliveries_due=read.total(facts.DELIVERIES_PENDING.name),
        oldest_delivery_seconds=read.value(facts.OLDEST_DELIVERY.name),
        redis_used=read.total(facts.REDIS_MEMORY_USED.name),
        redis_limit=read.total(facts.REDIS_MEMORY_LIMIT.name),
        history_waiting=read.total(facts.HISTORY_WAITING.name),
        history_lag_seconds=read.value(facts.HISTORY_LAG.name),
        callers_waiting=gauges.total("headrace_callers_waiting"),
        requests_in_flight=gauges.total("headrace_http_requests_in_flight"),
        breakers_open=_breakers_open(gauges),
    )


def _breakers_open(gauges: MetricValues) -> dict[str, int]:
    found = gauges.by("provider", "headrace_provider_breaker_open")
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0]))[:MOST_ROWS])
