"""Permissions at a provider, by a clock of the test: rate, fairness and leases."""

from collections import Counter

import pytest

from engine.store import Store
from engine.store.limits.governor import CallOutcome
from tests.support.store.provider_calls import (
    LEASE_MS,
    ask,
    asks,
    ended,
    most_in_a_minute,
    provider,
)

# -- pace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 60, 300])
async def test_no_minute_has_more_calls_than_the_limit_and_few_less(
    store: Store, limit: int
) -> None:
    stub = provider(store, requests_per_minute=limit)
    await stub.turn(*asks(4 * limit))

    await stub.run(150, 50)

    times = sorted(stub.taken.values())
    assert most_in_a_minute(times) <= limit
    assert len(times) >= 2.4 * limit


async def test_a_process_that_looks_late_catches_up(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(600))

    await stub.run(30, 400)

    assert len(stub.taken) >= 0.95 * 300


async def test_unused_grants_end_with_the_window(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("first"))

    turns = await stub.turn(*asks(100), after=600_000)

    assert len(turns.granted) == 5  # half a second of calls


async def test_at_first_an_answer_is_estimated_as_long_as_its_request(store: Store) -> None:
    stub = provider(store, tokens_per_minute=6_000)
    await stub.turn(*asks(100, tokens=100))

    for _ in range(600):
        await stub.turn(after=100)

    assert 28 <= len(stub.taken) <= 31


async def test_tokens_are_corrected_by_use_and_later_estimates_follow(
    store: Store,
) -> None:
    stub = provider(store, tokens_per_minute=6_000)
    await stub.turn(*asks(200, tokens=50))

    for _ in range(600):
        turns = await stub.turn(after=100)
        done = [ended(CallOutcome.DONE, each, amount=200) for each in turns.granted]
        await stub.see(*done)

    assert 28 <= len(stub.taken) <= 31


async def test_calls_at_once_are_bounded_and_the_end_of_one_is_the_turn_of_the_next(
    store: Store,
) -> None:
    stub = provider(store, concurrency=2)

    first = await stub.turn(*(ask(name) for name in "abc"))
    later = await stub.turn(after=60_000)
    last = await stub.turn(ended(CallOutcome.DONE, "a"))

    assert (first.granted, later.granted, last.granted) == (["a", "b"], [], ["c"])


async def test_a_process_learns_the_time_of_the_next_useful_turn(store: Store) -> None:
    stub = provider(store, requests_per_minute=60)

    quiet = await stub.turn()
    first = await stub.turn(*asks(3))
    second = await stub.turn(after=int((first.due_seconds or 0) * 1000))
    elsewhere = await stub.turn(caller="two")

    assert quiet.due_seconds is None
    assert len(first.granted) == 1
    assert first.due_seconds == 0.521  # a call takes 1,020 ms, and 500 may be ahead
    assert len(second.granted) == 1
    assert elsewhere.due_seconds == 1.0  # the upper bound


# -- many processes, many accounts ----------------------------------------------------------------


async def test_a_permission_caused_by_another_process_is_notified_and_repeated_until_taken(
    store: Store,
) -> None:
    stub = provider(store, concurrency=1)
    await stub.turn(ask("a"))
    await stub.turn(ask("b"), caller="two")

    await stub.turn(ended(CallOutcome.DONE, "a"))

    seen = [(await stub.see(caller="two")).granted for _ in range(2)]
    taken = await stub.see(ended(CallOutcome.TOOK, "b"), caller="two")
    assert seen == [["b"], ["b"]]
    assert taken.granted == []


async def test_events_that_come_twice_count_once(store: Store) -> None:
    stub = provider(store, requests_per_minute=60, concurrency=1)
    events = [ask("a"), ask("b")]

    replies = [await stub.see(*events) for _ in range(3)]
    await stub.turn(ended(CallOutcome.DONE, "a"), after=2_000)
    again = await stub.turn(ended(CallOutcome.DONE, "a"), after=2_000)

    assert [each.granted for each in replies] == [["a"]] * 3
    assert set(stub.taken) == {"b"}
    assert again.granted == []


async def test_accounts_take_turns_regardless_of_their_number_of_calls(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(200, "big"), *asks(20, "small"), *asks(20, "late"))

    await stub.run(4)

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert max(had.values()) - min(had.values()) <= 1


async def test_an_account_that_waited_for_nothing_gets_no_more_than_others_afterwards(
    store: Store,
) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(200, "old"))
    await stub.run(5)

    await stub.turn(*asks(100, "new"))
    await stub.run(2)

    had = Counter(each.partition("-")[0] for each in list(stub.taken)[-18:])
    assert abs(had["old"] - had["new"]) <= 1


async def test_accounts_share_tokens_where_tokens_are_scarce(store: Store) -> None:
    stub = provider(store, requests_per_minute=6_000, tokens_per_minute=60_000)
    await stub.turn(*asks(50, "long", 1_000), *asks(500, "short", 100))

    for _ in range(300):
        await stub.turn(after=100)

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert had["short"] == pytest.approx(10 * had["long"], rel=0.15)


async def test_accounts_share_the_tokens_that_calls_used_in_the_end(store: Store) -> None:
    stub = provider(store, tokens_per_minute=60_000)
    await stub.turn(*asks(400, "long", 100), *asks(400, "short", 100))

    for _ in range(300):
        turns = await stub.turn(after=100)
        long = [each for each in turns.granted if each.startswith("long")]
        done = [ended(CallOutcome.DONE, each, amount=300) for each in long]
        short = set(turns.granted) - set(long)
        await stub.see(*done, *(ended(CallOutcome.DONE, each, amount=100) for each in short))

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert had["short"] == pytest.approx(3 * had["long"], rel=0.15)


async def test_a_call_that_leaves_costs_its_account_nothing(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(60, "one"), *asks(60, "two"))
    await stub.see(*(ended(CallOutcome.LEFT, f"one-{number:04}") for number in range(10, 40)))

    await stub.run(4)

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert abs(had["one"] - had["two"]) <= 1


async def test_calls_of_a_dead_process_are_free_after_its_lease(
    store: Store,
) -> None:
    stub = provider(store, concurrency=1)
    await stub.turn(ask("a"), ask("b"), caller="dead")
    await stub.turn(ask("c"))

    early = await stub.turn(after=LEASE_MS - 1)
    late = await stub.turn(after=1)

    assert early.granted == []
    assert late.granted == ["c"]
    assert "b" not in stub.taken


async def test_a_process_without_the_next_call_asks_a_little_later(store: Store) -> None:
    stub = provider(store, requests_per_minute=120)
    first = await stub.turn(*asks(3))
    elsewhere = await stub.turn(caller="two")

    assert elsewhere.due_seconds == pytest.approx((first.due_seconds or 0) + 0.05)


async def test_nothing_is_kept_for_ever(store: Store) -> None:
    stub = provider(store, concurrency=1)
    await stub.see(*asks(3))

    keys = await store.client.send("KEYS", "{hrp:*")

    assert len(keys) == 7
    assert [key for key in keys if await store.client.send("PTTL", key) <= 0] == []


async def test_a_process_that_comes_back_learns_that_it_was_given_up(store: Store) -> None:
    stub = provider(store, concurrency=1)
    first = await stub.turn(ask("a"))
    second = await stub.turn()

    await stub.turn(ask("b"), caller="two", after=LEASE_MS)
    back = await stub.turn()

    assert [each.was_unknown for each in (first, second, back)] == [True, False, True]
