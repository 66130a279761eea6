"""Counts of calls to providers: outcomes, times, and waits for turns."""

import asyncio

import pytest

from engine.errors.nodes import NodeFailed
from engine.store import Store
from engine.telemetry import metrics
from tests.support.models.limited_calls import Process, Provider, answer, calls, failure, limited
from workers.providers.limiter.call_counts import OUTCOMES, ProviderOutcome

PROVIDER = "provider.example"


def count(outcome: str) -> float:
    labels = {"provider": PROVIDER, "outcome": outcome}
    return metrics.REGISTRY.get_sample_value("headrace_provider_calls_total", labels) or 0


def timed(name: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"headrace_{name}", {"provider": PROVIDER}) or 0


TIMED_OUT = NodeFailed("timeout", "It took too long", retryable=True)
GONE = NodeFailed("connection_failed", "No connection", retryable=True)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (answer(429), "throttled"),
        (answer(500), "failed"),
        (answer(200, body=["no", "reply"]), "failed"),
        (GONE, "failed"),
        (answer(504), "timeout"),
        (TIMED_OUT, "timeout"),
        (answer(401), "refused"),
        (answer(402), "refused"),
    ],
)
async def test_a_call_that_fails_has_an_outcome(
    one: Process, fake_provider: Provider, given: object, outcome: str
) -> None:
    fake_provider.answers = [given]  # type: ignore[list-item]
    before, ok, times = count(outcome), count("ok"), timed("provider_call_seconds_count")

    await failure(one.call(limited()))

    assert (count(outcome), count("ok")) == (before + 1, ok)
    assert timed("provider_call_seconds_count") == times + 1


async def test_a_call_that_is_answered_is_ok(one: Process, fake_provider: Provider) -> None:
    before = count("ok")

    await one.call(limited())

    assert count("ok") == before + 1


async def test_a_call_that_its_node_had_no_more_time_for_timed_out(
    one: Process, fake_provider: Provider
) -> None:
    fake_provider.is_open.clear()
    before = count("timeout"), count("ok")
    late, stopped = (asyncio.create_task(one.call(limited(), seconds=s)) for s in (0.01, 60))
    await calls(fake_provider, 2)
    await asyncio.sleep(0.02)

    for task in (late, stopped):
        task.cancel()
    await asyncio.gather(late, stopped, return_exceptions=True)

    assert (count("timeout"), count("ok")) == (before[0] + 1, before[1])


async def test_the_wait_for_a_turn_is_apart_from_the_call(
    one: Process, fake_provider: Provider, store: Store
) -> None:
    paced = limited(concurrency=1)
    fake_provider.is_open.clear()
    waits, seconds = (timed(f"provider_turn_seconds_{each}") for each in ("count", "sum"))
    tasks = [asyncio.create_task(one.call(paced)) for _ in range(2)]
    await calls(fake_provider, 1)
    await asyncio.sleep(0.2)

    fake_provider.is_open.set()
    await asyncio.gather(*tasks)

    assert timed("provider_turn_seconds_count") == waits + 2
    assert timed("provider_turn_seconds_sum") > seconds + 0.15


def test_outcomes_are_those_that_the_metric_tells() -> None:
    told = metrics.DECLARATIONS["headrace_provider_calls_total"].labels["outcome"]
    assert str(told) == " ".join(f"`{each}`" for each in ProviderOutcome)
    assert {*OUTCOMES.values(), ProviderOutcome.OK} == set(ProviderOutcome)
