"""A limit on requests that a successful call lifts for an hour."""

from dataclasses import replace

from engine.models.limits import ModelLimits
from engine.store import Store
from engine.store.limits.governor import CallOutcome, Pacing
from tests.support.store.provider_calls import Provider, asks, ended

LIMIT = 50
HOUR_MS = 3_600_000


def host(store: Store, **limits: int) -> Provider:
    """Host that accepts 50 calls a second before the first success."""
    return Provider(
        store,
        ModelLimits(requests_per_minute=60 * LIMIT, **limits),
        Pacing(burst_ms=20, trust_ms=HOUR_MS),
    )


async def pass_time(host: Provider, milliseconds: int, step_ms: int) -> None:
    """Take each permission at once, with an unknown outcome."""
    for _ in range(milliseconds // step_ms):
        turns = await host.turn(after=step_ms)
        await host.see(*(ended(CallOutcome.LEFT, each) for each in turns.granted))


def most_in_a_second(host: Provider) -> int:
    times = host.taken.values()
    return max(sum(each <= other < each + 1_000 for other in times) for each in times)


async def test_no_second_has_more_calls_than_the_limit_and_few_less(store: Store) -> None:
    receiver = host(store)
    await receiver.turn(*asks(400))

    await pass_time(receiver, 5_000, 10)

    assert most_in_a_second(receiver) <= LIMIT
    assert len(receiver.taken) >= 0.9 * 5 * LIMIT


async def test_a_process_that_looks_late_makes_no_second_fuller(store: Store) -> None:
    receiver = host(store)
    await receiver.turn(*asks(400))

    await pass_time(receiver, 3_000, 70)

    assert most_in_a_second(receiver) <= LIMIT


async def test_a_call_that_was_done_lifts_the_limit_for_an_hour(store: Store) -> None:
    receiver = host(store)
    first = await receiver.turn(*asks(1))
    await receiver.turn(ended(CallOutcome.DONE, first.granted[0]))

    together = await receiver.turn(*asks(200, "soon"), after=1_000)
    early = await receiver.turn(*asks(200, "early"), after=HOUR_MS - 1_001)
    late = await receiver.turn(*asks(200, "late"), after=1)

    assert [len(each.granted) for each in (together, early, late)] == [200, 200, 1]


async def test_each_call_that_was_done_begins_the_hour_anew(store: Store) -> None:
    receiver = host(store)
    await receiver.turn(ended(CallOutcome.DONE))
    await receiver.turn(ended(CallOutcome.DONE), after=HOUR_MS - 1)

    later = await receiver.turn(*asks(200), after=HOUR_MS - 1)

    assert len(later.granted) == 200


async def test_other_ends_lift_nothing(store: Store) -> None:
    receiver = host(store)
    first = await receiver.turn(*asks(1))
    await receiver.turn(ended(CallOutcome.LEFT, first.granted[0]))

    later = await receiver.turn(*asks(200), after=1_000)

    assert len(later.granted) == 1


async def test_calls_at_once_stay_bounded_when_the_limit_is_lifted(store: Store) -> None:
    receiver = host(store, concurrency=20)
    await receiver.turn(ended(CallOutcome.DONE))

    turns = await receiver.turn(*asks(200))

    assert len(turns.granted) == 20


async def test_a_process_must_go_on_asking_while_the_limit_is_lifted(store: Store) -> None:
    """Otherwise no process would notice that the limit holds again."""
    receiver = host(store)

    turns = await receiver.turn(ended(CallOutcome.DONE))

    assert turns.must_ask


async def test_the_hour_does_not_last_longer_when_the_clock_is_set_back(store: Store) -> None:
    receiver = host(store)
    await receiver.turn(ended(CallOutcome.DONE))
    await receiver.turn(after=-30 * 60_000)

    later = await receiver.turn(*asks(200), after=HOUR_MS)

    assert len(later.granted) == 1


async def test_where_no_trust_was_agreed_the_limit_always_holds(store: Store) -> None:
    provider = replace(host(store), pacing=Pacing(burst_ms=20))
    await provider.turn(ended(CallOutcome.DONE))

    turns = await provider.turn(*asks(200))

    assert len(turns.granted) == 1
