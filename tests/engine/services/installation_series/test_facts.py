"""The state at the time of a sample."""

from engine.services.installation_series.counting import MOST_ROWS, MetricValues
from engine.services.installation_series.facts import read_facts
from engine.store import Store
from engine.store.redis import process_keys

NO_GAUGES = MetricValues([])


async def test_an_idle_installation_has_nothing_that_waits(store: Store) -> None:
    facts = await read_facts(store, NO_GAUGES, gateways=1)

    assert facts.waiting == {"walk": 0, "bulk": 0, "deliver": 0}
    assert (facts.workers, facts.gateways, facts.held) == (0, 1, 0)
    assert (facts.oldest_hint_seconds, facts.due_lag_seconds, facts.history_lag_seconds) == (
        0,
        0,
        0,
    )
    assert facts.redis_used > 0


async def test_living_workers_and_waiting_hints_are_counted(store: Store) -> None:
    now = await store.leases.now()
    await store.client.send("ZADD", process_keys.workers(), now + 60_000, "w1", now - 1, "w2")
    await store.hints.send(["acc/1", "acc/2"])

    facts = await read_facts(store, NO_GAUGES, gateways=0)

    assert (facts.workers, facts.waiting["walk"]) == (1, 2)


async def test_providers_that_workers_do_not_call_are_named_up_to_a_bound(store: Store) -> None:
    name = "headrace_provider_breaker_open"
    open_ones = [[name, {"provider": f"host-{number:02}"}, 1.0] for number in range(20)]
    gauges = MetricValues([[name, "gauge", "", [*open_ones, [name, {"provider": "well"}, 0.0]]]])

    facts = await read_facts(store, gauges, gateways=0)

    assert list(facts.breakers_open) == [f"host-{number:02}" for number in range(MOST_ROWS)]
