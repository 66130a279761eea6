"""Governor at providers that refuse or fail: learned rate and circuit breaker."""

from collections.abc import Iterator

from engine.store import Store
from engine.store.limits.governor import ALL, CallOutcome, CallReport
from tests.support.store.provider_calls import UNKNOWN, ask, asks, ended, provider

# -- refusals -------------------------------------------------------------------------------------


async def test_nothing_has_a_turn_before_the_provider_wants_to_be_asked(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("a"))

    refused = await stub.turn(ended(CallOutcome.REFUSED, "a", amount=7_000), *asks(20), after=1_000)
    early = await stub.turn(after=6_999)
    due = await stub.turn(after=1)

    assert (refused.granted, refused.pause_seconds) == ([], 7.0)
    assert early.granted == []
    assert len(due.granted) == 1, "no burst after a refusal"


async def test_a_refusal_lowers_the_pace_which_then_rises_to_the_limit_again(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("a"), *asks(2_000))
    await stub.turn(ended(CallOutcome.REFUSED, "a", amount=1))

    slow = await stub.run(6)
    await stub.run(60)
    fast = await stub.run(6)

    assert 45 <= slow <= 52
    assert 57 <= fast <= 60


async def test_near_the_pace_that_was_refused_it_rises_slowly(store: Store) -> None:
    stub = provider(store, requests_per_minute=6_000)
    await stub.turn(ask("a"), *asks(5_000))
    await stub.turn(ended(CallOutcome.REFUSED, "a", amount=1))

    await stub.run(22, 100)

    assert await stub.run(4, 100) <= 0.975 * 0.98 * 400


async def test_refusals_of_calls_on_their_way_lower_the_pace_once(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    names = (await stub.turn(*asks(1_000))).granted
    assert len(names) > 3

    for name in names:
        await stub.turn(ended(CallOutcome.REFUSED, name, amount=1), after=10)

    assert 45 <= await stub.run(6) <= 52


async def test_without_limits_refusals_teach_a_pace(store: Store) -> None:
    stub = provider(store)
    free = await stub.turn(*asks(300))

    learned = await stub.turn(
        ended(CallOutcome.REFUSED, amount=1, calls_per_minute=300), *asks(400, "more")
    )

    assert (len(free.granted), free.must_ask) == (300, False)
    assert learned.must_ask
    assert 24 <= await stub.run(6) <= 29  # 0.8 of 300 a minute, and rising


async def test_the_first_pace_is_that_of_all_processes_together(store: Store) -> None:
    """Each process estimates its own calls; the refusal was for the calls of all."""
    stub = provider(store)
    await stub.turn(caller="two")
    await stub.turn(caller="three")

    await stub.turn(ended(CallOutcome.REFUSED, amount=1, calls_per_minute=100), *asks(400, "more"))

    assert 24 <= await stub.run(6) <= 29  # 0.8 of 300 a minute, and rising


async def test_a_pace_that_is_a_guess_rises_fast_and_one_that_was_refused_does_not(
    store: Store,
) -> None:
    stub = provider(store)
    await stub.turn(ended(CallOutcome.REFUSED, amount=1, calls_per_minute=300), *asks(4_000))

    await stub.run(20)
    guessed = [await stub.run(6) for _ in range(2)]
    last = (await stub.turn(after=200)).granted[-1]
    await stub.turn(ended(CallOutcome.REFUSED, last, amount=1))
    refused = [await stub.run(6) for _ in range(2)]

    assert guessed[1] >= 1.2 * guessed[0]
    assert refused[1] <= 1.1 * refused[0]


async def test_refusals_lower_the_pace_of_tokens_too(store: Store) -> None:
    stub = provider(store, tokens_per_minute=60_000)
    await stub.turn(*asks(1_000, tokens=50))
    await stub.turn(ended(CallOutcome.REFUSED, "acc-0000", amount=1))
    before = len(stub.taken)

    for _ in range(60):
        await stub.turn(after=100)

    assert 45 <= len(stub.taken) - before <= 52


async def test_calls_that_were_made_when_no_limit_was_known_lower_no_pace(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(100))

    await stub.turn(ended(CallOutcome.REFUSED, amount=1, calls_per_minute=9_000))

    assert 57 <= await stub.run(6) <= 60


async def test_a_pace_that_was_learned_is_forgotten_after_a_while(store: Store) -> None:
    stub = provider(store)
    await stub.turn(ended(CallOutcome.REFUSED, amount=1, calls_per_minute=10))

    soon = await stub.turn(after=60_000)
    late = await stub.turn(after=900_000)

    assert (soon.must_ask, late.must_ask) == (True, False)


async def test_limits_that_one_process_knows_hold_for_those_that_do_not(store: Store) -> None:
    stub = provider(store, requests_per_minute=60)
    await stub.turn()

    stub.limits = UNKNOWN
    other = await stub.turn(*asks(9), caller="two")

    assert other.must_ask
    assert len(other.granted) == 1


async def test_limits_that_are_not_repeated_lapse_with_their_rate(
    store: Store,
) -> None:
    stub = provider(store, requests_per_minute=60, concurrency=1)
    await stub.turn()
    stub.limits = UNKNOWN

    soon = await stub.turn(ask("refused"), after=119_000)
    await stub.turn(ended(CallOutcome.REFUSED, "refused", amount=1))
    late = await stub.turn(*asks(30), after=2_000)

    assert (soon.must_ask, late.must_ask) == (True, False)
    assert len(late.granted) == 30


async def test_repeated_limits_stay_in_force(store: Store) -> None:
    stub = provider(store, requests_per_minute=60)
    await stub.turn()
    await stub.turn(after=100_000)
    stub.limits = UNKNOWN

    assert (await stub.turn(after=100_000)).must_ask


# -- the breaker ----------------------------------------------------------------------------------


def failures(count: int, *accounts: str) -> Iterator[CallReport]:
    for number in range(count):
        yield ended(CallOutcome.FAILED, account_id=accounts[number % len(accounts)])


async def test_failures_in_a_row_open_the_breaker_and_one_call_tries_whether_it_may_close(
    store: Store,
) -> None:
    stub = provider(store)
    before = await stub.turn(*failures(4, "a", "b"))
    opened = await stub.turn(*failures(1, "a"), *asks(3))

    halved = await stub.turn(after=5_000)
    waits = await stub.turn()
    closed = await stub.turn(ended(CallOutcome.DONE, "acc-0000"))

    assert (before.open_seconds, before.failures, before.must_ask) == (0, 4, False)
    assert (opened.open_seconds, opened.blamed, opened.granted) == (5, ALL, [])
    assert (halved.granted, halved.open_seconds) == (["acc-0000"], 1)
    assert waits.granted == []
    assert (closed.granted, closed.open_seconds) == (["acc-0001", "acc-0002"], 0)


async def test_the_breaker_stays_open_longer_each_time_and_two_minutes_at_most(
    store: Store,
) -> None:
    stub = provider(store)
    opened = await stub.turn(*failures(5, "a", "b"))
    times = [opened.open_seconds]

    for number in range(6):
        name = f"probe-{number}"
        await stub.turn(ask(name), after=int(times[-1] * 1000))
        times.append((await stub.turn(ended(CallOutcome.FAILED, name, "b"))).open_seconds)

    assert times == [5, 10, 20, 40, 80, 120, 120]


async def test_a_breaker_that_has_closed_opens_the_next_time_for_as_long_as_the_first_time(
    store: Store,
) -> None:
    stub = provider(store)
    first = await stub.turn(*failures(5, "a", "b"), ask("fails"))
    await stub.turn(after=5_000)
    second = await stub.turn(ended(CallOutcome.FAILED, "fails", "b"), ask("answered"))
    await stub.turn(after=10_000)
    closed = await stub.turn(ended(CallOutcome.DONE, "answered"))

    again = await stub.turn(*failures(5, "a", "b"))

    times = [each.open_seconds for each in (first, second, closed, again)]
    assert times == [5, 10, 0, 5]


async def test_outcomes_of_unknown_calls_do_not_count(store: Store) -> None:
    stub = provider(store)

    for _ in range(9):
        turns = await stub.turn(ended(CallOutcome.FAILED, "gone"))

    assert (turns.open_seconds, turns.failures) == (0, 0)


async def test_an_answer_between_failures_keeps_the_breaker_closed(store: Store) -> None:
    stub = provider(store)

    for _ in range(3):
        turns = await stub.turn(*failures(4, "a", "b"), ended(CallOutcome.DONE))

    assert (turns.open_seconds, turns.failures) == (0, 0)


async def test_failures_long_apart_are_not_in_a_row(store: Store) -> None:
    stub = provider(store)
    await stub.turn(*failures(4, "a", "b"))

    turns = await stub.turn(*failures(1, "a"), after=60_001)

    assert (turns.open_seconds, turns.failures) == (0, 1)


async def test_an_account_that_alone_has_failures_is_alone_in_being_shut_out(store: Store) -> None:
    stub = provider(store)
    opened = await stub.turn(*failures(5, "bad"), *asks(1, "bad"), *asks(2, "good"))

    answered = await stub.turn(ended(CallOutcome.DONE, "good-0000", "good"))
    halved = await stub.turn(after=5_000)

    assert (opened.blamed, opened.granted) == ("bad", ["good-0000", "good-0001"])
    assert answered.open_seconds == 5
    assert halved.granted == ["bad-0000"]


async def test_failures_of_others_then_shut_out_all(store: Store) -> None:
    stub = provider(store)
    await stub.turn(*failures(5, "bad"))

    some = await stub.turn(*failures(4, "b", "c"))
    all_of_them = await stub.turn(*failures(1, "b"))

    assert (some.blamed, all_of_them.blamed) == ("bad", ALL)


async def test_an_answer_to_another_account_ends_the_count_of_failures_of_others(
    store: Store,
) -> None:
    stub = provider(store)
    await stub.turn(*failures(5, "bad"))

    await stub.turn(*failures(4, "b", "c"), ended(CallOutcome.DONE, account_id="b"))
    after = await stub.turn(*failures(4, "b", "c"))

    assert (after.blamed, after.open_seconds) == ("bad", 5)


async def test_a_probe_that_is_given_up_leaves_its_place_to_another(store: Store) -> None:
    stub = provider(store)
    await stub.turn(*failures(5, "a", "b"), *asks(2))
    await stub.turn(after=5_000)

    turns = await stub.turn(ended(CallOutcome.LEFT, "acc-0000"))

    assert turns.granted == ["acc-0001"]
