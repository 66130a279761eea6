"""Permissions after Redis's clock was set back: no call waits for it to catch up."""

import pytest

from engine.store import Store
from engine.store.limits.governor import CallOutcome
from tests.support.store.provider_calls import LEASE_MS, Provider, ask, asks, ended
from tests.support.store.provider_calls import provider as make_provider

HOUR_MS = 3_600_000


def provider(store: Store, **limits: int) -> Provider:
    """Provider with a clock that can be set back by an hour."""
    stub = make_provider(store, **limits)
    stub.now += 10 * HOUR_MS
    return stub


async def test_a_pause_ends_in_its_time_although_the_clock_was_set_back(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("a"))
    await stub.turn(ended(CallOutcome.REFUSED, "a", amount=7_000), *asks(20))

    back = await stub.turn(after=-HOUR_MS)
    early = await stub.turn(after=6_999)
    due = await stub.turn(after=1)

    assert back.pause_seconds == 7.0
    assert (early.granted, len(due.granted)) == ([], 1)


async def test_the_pace_goes_on_although_the_clock_was_set_back(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(600))

    await stub.run(5)
    await stub.turn(after=-HOUR_MS)

    assert await stub.run(5) >= 0.9 * 50


async def test_a_breaker_lets_a_call_try_in_time_although_the_clock_was_set_back(
    store: Store,
) -> None:
    stub = provider(store)
    for _ in range(5):
        await stub.turn(ended(CallOutcome.FAILED))

    back = await stub.turn(after=-HOUR_MS)
    later = await stub.turn(ask("a"), after=5_000)

    assert 0 < back.open_seconds <= 5.0
    assert later.granted == ["a"]


@pytest.mark.parametrize("back_ms", [4_000, HOUR_MS])
async def test_calls_of_a_process_that_died_are_given_up_although_the_clock_was_set_back(
    back_ms: int, store: Store
) -> None:
    stub = provider(store, concurrency=1)
    assert (await stub.turn(ask("dead"), caller="dead")).granted == ["dead"]

    await stub.turn(ask("a"), after=-back_ms)
    due = await stub.turn(after=LEASE_MS)

    assert due.granted == ["a"]


async def test_the_pace_of_tokens_goes_on_although_the_clock_was_set_back(store: Store) -> None:
    stub = provider(store, tokens_per_minute=60_000)
    await stub.turn(*asks(200, tokens=50))

    async def turns_in_five_seconds() -> int:
        return sum([len((await stub.turn(after=100)).granted) for _ in range(50)])

    before = await turns_in_five_seconds()
    await stub.turn(after=-HOUR_MS)

    assert before > 0
    assert await turns_in_five_seconds() >= 0.9 * before
