"""Turns at providers, by a clock of the test's own: pace, fairness, refusals, breaker, leases."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from engine.models.limits import Limits
from engine.store import Store
from engine.store.governor import ALL, LEASE_SECONDS, Event, Happening, Turns

START = 1_000_000
UNKNOWN = Limits()
LEASE_MS = int(LEASE_SECONDS * 1000)


def ask(call_id: str, account_id: str = "acc", tokens: int = 0) -> Event:
    return Event(kind=Happening.ASK, call_id=call_id, account_id=account_id, amount=tokens)


def ended(kind: Happening, call_id: str = "", account_id: str = "acc", **more: int) -> Event:
    return Event(kind=kind, call_id=call_id, account_id=account_id, **more)


def asks(count: int, account_id: str = "acc", tokens: int = 0) -> list[Event]:
    return [ask(f"{account_id}-{number:04}", account_id, tokens) for number in range(count)]


@dataclass
class Provider:
    """One provider as worker processes see it, and its clock."""

    store: Store
    limits: Limits
    now: int = START
    taken: dict[str, int] = field(default_factory=dict)
    """Call to the time of its turn."""

    async def turn(self, *events: Event, caller: str = "one", after: int = 0) -> Turns:
        """What a process learns `after` milliseconds more; it takes its turns at once."""
        self.now += after
        turns = await self.see(*events, caller=caller)
        for call_id in turns.granted:
            self.taken[call_id] = self.now
        if turns.granted:
            await self.see(*(ended(Happening.TOOK, each) for each in turns.granted), caller=caller)
        return turns

    async def see(self, *events: Event, caller: str = "one") -> Turns:
        return await self.store.governor.turn("p", caller, self.limits, events, now=self.now)

    async def run(self, seconds: float, step_ms: int = 20, *, caller: str = "one") -> int:
        """Let time pass; how many calls had their turn meanwhile. Each is answered at once."""
        before = len(self.taken)
        for _ in range(int(seconds * 1000 / step_ms)):
            turns = await self.turn(caller=caller, after=step_ms)
            done = [ended(Happening.DONE, each) for each in turns.granted]
            await self.see(*done, caller=caller)
        return len(self.taken) - before


def provider(store: Store, **limits: int) -> Provider:
    return Provider(store, Limits(**limits))


def most_in_a_minute(times: Sequence[int]) -> int:
    """The most in any window of 60 s."""
    return max(sum(each <= other < each + 60_000 for other in times) for each in times)


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


async def test_what_was_not_used_is_not_kept_for_later(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("first"))

    turns = await stub.turn(*asks(100), after=600_000)

    assert len(turns.granted) == 5  # half a second's worth


async def test_at_first_an_answer_is_taken_to_be_as_long_as_what_was_asked(store: Store) -> None:
    stub = provider(store, tokens_per_minute=6_000)
    await stub.turn(*asks(100, tokens=100))

    for _ in range(600):
        await stub.turn(after=100)

    assert 28 <= len(stub.taken) <= 31


async def test_tokens_are_corrected_by_what_calls_took_and_later_ones_are_taken_for_that(
    store: Store,
) -> None:
    stub = provider(store, tokens_per_minute=6_000)
    await stub.turn(*asks(200, tokens=50))

    for _ in range(600):
        turns = await stub.turn(after=100)
        done = [ended(Happening.DONE, each, amount=200) for each in turns.granted]
        await stub.see(*done)

    assert 28 <= len(stub.taken) <= 31


async def test_calls_at_once_are_bounded_and_the_end_of_one_is_the_turn_of_the_next(
    store: Store,
) -> None:
    stub = provider(store, concurrency=2)

    first = await stub.turn(*(ask(name) for name in "abc"))
    later = await stub.turn(after=60_000)
    last = await stub.turn(ended(Happening.DONE, "a"))

    assert (first.granted, later.granted, last.granted) == (["a", "b"], [], ["c"])


async def test_a_process_is_told_when_it_makes_sense_to_ask_again(store: Store) -> None:
    stub = provider(store, requests_per_minute=60)

    quiet = await stub.turn()
    first = await stub.turn(*asks(3))
    second = await stub.turn(after=int((first.due_seconds or 0) * 1000))
    elsewhere = await stub.turn(caller="two")

    assert quiet.due_seconds is None
    assert len(first.granted) == 1
    assert first.due_seconds == 0.521  # a call is worth 1,020 ms, and 500 may be ahead
    assert len(second.granted) == 1
    assert elsewhere.due_seconds == 1.0  # at most


# -- many processes, many accounts ----------------------------------------------------------------


async def test_a_turn_that_another_process_brings_is_rung_for_and_told_until_it_is_taken(
    store: Store,
) -> None:
    stub = provider(store, concurrency=1)
    await stub.turn(ask("a"))
    await stub.turn(ask("b"), caller="two")

    await stub.turn(ended(Happening.DONE, "a"))

    seen = [(await stub.see(caller="two")).granted for _ in range(2)]
    taken = await stub.see(ended(Happening.TOOK, "b"), caller="two")
    assert seen == [["b"], ["b"]]
    assert taken.granted == []


async def test_events_that_come_twice_count_once(store: Store) -> None:
    stub = provider(store, requests_per_minute=60, concurrency=1)
    events = [ask("a"), ask("b")]

    replies = [await stub.see(*events) for _ in range(3)]
    await stub.turn(ended(Happening.DONE, "a"), after=2_000)
    again = await stub.turn(ended(Happening.DONE, "a"), after=2_000)

    assert [each.granted for each in replies] == [["a"]] * 3
    assert set(stub.taken) == {"b"}
    assert again.granted == []


async def test_accounts_take_turns_whoever_has_more_calls(store: Store) -> None:
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


async def test_accounts_share_tokens_where_these_are_what_is_short(store: Store) -> None:
    stub = provider(store, requests_per_minute=6_000, tokens_per_minute=60_000)
    await stub.turn(*asks(50, "long", 1_000), *asks(500, "short", 100))

    for _ in range(300):
        await stub.turn(after=100)

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert had["short"] == pytest.approx(10 * had["long"], rel=0.15)


async def test_accounts_share_what_calls_took_in_the_end(store: Store) -> None:
    stub = provider(store, tokens_per_minute=60_000)
    await stub.turn(*asks(400, "long", 100), *asks(400, "short", 100))

    for _ in range(300):
        turns = await stub.turn(after=100)
        long = [each for each in turns.granted if each.startswith("long")]
        done = [ended(Happening.DONE, each, amount=300) for each in long]
        short = set(turns.granted) - set(long)
        await stub.see(*done, *(ended(Happening.DONE, each, amount=100) for each in short))

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert had["short"] == pytest.approx(3 * had["long"], rel=0.15)


async def test_a_call_that_leaves_costs_its_account_nothing(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(60, "one"), *asks(60, "two"))
    await stub.see(*(ended(Happening.LEFT, f"one-{number:04}") for number in range(10, 40)))

    await stub.run(4)

    had = Counter(each.partition("-")[0] for each in stub.taken)
    assert abs(had["one"] - had["two"]) <= 1


async def test_what_a_dead_process_held_and_waited_for_is_free_after_its_lease(
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


async def test_who_does_not_wait_next_looks_a_little_later(store: Store) -> None:
    stub = provider(store, requests_per_minute=120)
    first = await stub.turn(*asks(3))
    elsewhere = await stub.turn(caller="two")

    assert elsewhere.due_seconds == pytest.approx((first.due_seconds or 0) + 0.05)


async def test_nothing_is_kept_for_ever(store: Store) -> None:
    stub = provider(store, concurrency=1)
    await stub.see(*asks(3))

    keys = await store.client.send("KEYS", "*")

    assert len(keys) == 7
    assert [key for key in keys if await store.client.send("PTTL", key) <= 0] == []


async def test_a_process_that_comes_back_learns_that_it_was_given_up(store: Store) -> None:
    stub = provider(store, concurrency=1)
    first = await stub.turn(ask("a"))
    second = await stub.turn()

    await stub.turn(ask("b"), caller="two", after=LEASE_MS)
    back = await stub.turn()

    assert [each.was_unknown for each in (first, second, back)] == [True, False, True]


# -- refusals -------------------------------------------------------------------------------------


async def test_nothing_has_a_turn_before_the_provider_wants_to_be_asked(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("a"))

    refused = await stub.turn(ended(Happening.REFUSED, "a", amount=7_000), *asks(20), after=1_000)
    early = await stub.turn(after=6_999)
    due = await stub.turn(after=1)

    assert (refused.granted, refused.pause_seconds) == ([], 7.0)
    assert early.granted == []
    assert len(due.granted) == 1, "no burst after a refusal"


async def test_a_refusal_lowers_the_pace_which_then_rises_to_the_limit_again(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(ask("a"), *asks(2_000))
    await stub.turn(ended(Happening.REFUSED, "a", amount=1))

    slow = await stub.run(6)
    await stub.run(60)
    fast = await stub.run(6)

    assert 45 <= slow <= 52
    assert 57 <= fast <= 60


async def test_near_the_pace_that_was_refused_it_rises_slowly(store: Store) -> None:
    stub = provider(store, requests_per_minute=6_000)
    await stub.turn(ask("a"), *asks(5_000))
    await stub.turn(ended(Happening.REFUSED, "a", amount=1))

    await stub.run(22, 100)

    assert await stub.run(4, 100) <= 0.975 * 0.98 * 400


async def test_refusals_of_calls_on_their_way_lower_the_pace_once(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    names = (await stub.turn(*asks(1_000))).granted
    assert len(names) > 3

    for name in names:
        await stub.turn(ended(Happening.REFUSED, name, amount=1), after=10)

    assert 45 <= await stub.run(6) <= 52


async def test_without_limits_refusals_teach_a_pace(store: Store) -> None:
    stub = provider(store)
    free = await stub.turn(*asks(300))

    learned = await stub.turn(ended(Happening.REFUSED, amount=1, seen=300), *asks(400, "more"))

    assert (len(free.granted), free.must_ask) == (300, False)
    assert learned.must_ask
    assert 24 <= await stub.run(6) <= 29  # 0.8 of 300 a minute, and it rises


async def test_a_pace_that_is_a_guess_rises_fast_and_one_that_was_refused_does_not(
    store: Store,
) -> None:
    stub = provider(store)
    await stub.turn(ended(Happening.REFUSED, amount=1, seen=300), *asks(4_000))

    await stub.run(20)
    guessed = [await stub.run(6) for _ in range(2)]
    last = (await stub.turn(after=200)).granted[-1]
    await stub.turn(ended(Happening.REFUSED, last, amount=1))
    refused = [await stub.run(6) for _ in range(2)]

    assert guessed[1] >= 1.2 * guessed[0]
    assert refused[1] <= 1.1 * refused[0]


async def test_refusals_lower_the_pace_of_tokens_too(store: Store) -> None:
    stub = provider(store, tokens_per_minute=60_000)
    await stub.turn(*asks(1_000, tokens=50))
    await stub.turn(ended(Happening.REFUSED, "acc-0000", amount=1))
    before = len(stub.taken)

    for _ in range(60):
        await stub.turn(after=100)

    assert 45 <= len(stub.taken) - before <= 52


async def test_calls_that_were_made_when_no_limit_was_known_lower_no_pace(store: Store) -> None:
    stub = provider(store, requests_per_minute=600)
    await stub.turn(*asks(100))

    await stub.turn(ended(Happening.REFUSED, amount=1, seen=9_000))

    assert 57 <= await stub.run(6) <= 60


async def test_a_pace_that_was_learned_is_forgotten_after_a_while(store: Store) -> None:
    stub = provider(store)
    await stub.turn(ended(Happening.REFUSED, amount=1, seen=10))

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


# -- the breaker ----------------------------------------------------------------------------------


def failures(count: int, *accounts: str) -> Iterator[Event]:
    for number in range(count):
        yield ended(Happening.FAILED, account_id=accounts[number % len(accounts)])


async def test_failures_in_a_row_open_the_breaker_and_one_call_tries_whether_it_may_close(
    store: Store,
) -> None:
    stub = provider(store)
    before = await stub.turn(*failures(4, "a", "b"))
    opened = await stub.turn(*failures(1, "a"), *asks(3))

    halved = await stub.turn(after=5_000)
    waits = await stub.turn()
    closed = await stub.turn(ended(Happening.DONE, "acc-0000"))

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
        times.append((await stub.turn(ended(Happening.FAILED, name, "b"))).open_seconds)

    assert times == [5, 10, 20, 40, 80, 120, 120]


async def test_what_becomes_of_calls_that_nobody_knows_counts_for_nothing(store: Store) -> None:
    stub = provider(store)

    for _ in range(9):
        turns = await stub.turn(ended(Happening.FAILED, "gone"))

    assert (turns.open_seconds, turns.failures) == (0, 0)


async def test_an_answer_between_failures_keeps_the_breaker_closed(store: Store) -> None:
    stub = provider(store)

    for _ in range(3):
        turns = await stub.turn(*failures(4, "a", "b"), ended(Happening.DONE))

    assert (turns.open_seconds, turns.failures) == (0, 0)


async def test_failures_long_apart_are_not_in_a_row(store: Store) -> None:
    stub = provider(store)
    await stub.turn(*failures(4, "a", "b"))

    turns = await stub.turn(*failures(1, "a"), after=60_001)

    assert (turns.open_seconds, turns.failures) == (0, 1)


async def test_an_account_that_alone_has_failures_is_alone_in_being_shut_out(store: Store) -> None:
    stub = provider(store)
    opened = await stub.turn(*failures(5, "bad"), *asks(1, "bad"), *asks(2, "good"))

    answered = await stub.turn(ended(Happening.DONE, "good-0000", "good"))
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


async def test_a_probe_that_is_given_up_leaves_its_place_to_another(store: Store) -> None:
    stub = provider(store)
    await stub.turn(*failures(5, "a", "b"), *asks(2))
    await stub.turn(after=5_000)

    turns = await stub.turn(ended(Happening.LEFT, "acc-0000"))

    assert turns.granted == ["acc-0001"]
