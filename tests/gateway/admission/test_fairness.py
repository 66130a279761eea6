"""Fairness between accounts that call at the same time."""

import asyncio

import pytest

from gateway.admission import fairness
from gateway.admission.fairness import MAX_BEGUN, MAX_BEGUN_ALONE, AccountFairness
from tests.support.eventually import eventually

pytestmark = pytest.mark.A91i


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "MANY_WAITING", 1_000)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def start(queue: AccountFairness, account: str, count: int) -> list["asyncio.Task[None]"]:
    return [asyncio.create_task(queue.begin(account)) for _ in range(count)]


def begun(tasks: list["asyncio.Task[None]"]) -> int:
    return sum(each.done() for each in tasks)


async def test_an_account_alone_is_not_held_up() -> None:
    queue = AccountFairness()

    tasks = start(queue, "a", 50)
    await settle()

    assert begun(tasks) == 50


async def test_thousands_of_requests_of_an_account_alone_are_taken_many_at_a_time() -> None:
    queue = AccountFairness()

    tasks = start(queue, "a", 2_000)
    await settle()
    assert begun(tasks) == MAX_BEGUN_ALONE

    for ended in range(2_000):
        queue.end("a")
        await asyncio.sleep(0)
        assert begun(tasks) <= ended + 1 + MAX_BEGUN_ALONE
    assert begun(tasks) == 2_000


async def test_beside_another_an_account_has_a_few_at_once_in_the_order_they_came() -> None:
    queue = AccountFairness()
    other = start(queue, "b", 1)
    tasks = start(queue, "a", 10)
    await settle()

    assert begun(tasks) == MAX_BEGUN
    for done in range(1, 9):
        queue.end("a")
        await settle()
        assert [each.done() for each in tasks] == [n < MAX_BEGUN + done for n in range(10)]
    assert begun(other) == 1


async def test_the_other_goes_first_however_many_wait() -> None:
    queue = AccountFairness()
    start(queue, "b", 1)
    tasks = start(queue, "a", 100)
    await settle()
    queue.end("b")

    late = start(queue, "b", 1)
    await settle()

    assert begun(late) == 1
    assert begun(tasks) == MAX_BEGUN
    for each in tasks:
        each.cancel()


async def test_an_account_is_alone_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "CONTENDED_SECONDS", 0.0)
    queue = AccountFairness()
    start(queue, "b", 1)
    await settle()

    tasks = start(queue, "a", 50)
    await settle()

    assert begun(tasks) == 50


async def test_who_gives_up_leaves_its_turn_to_the_next() -> None:
    queue = AccountFairness()
    start(queue, "b", 1)
    tasks = start(queue, "a", MAX_BEGUN + 3)
    await settle()

    tasks[MAX_BEGUN].cancel()
    queue.end("a")
    await settle()
    tasks[-1].cancel()
    queue.end("a")
    await settle()

    assert tasks[MAX_BEGUN + 1].done() and not tasks[MAX_BEGUN + 1].cancelled()
    assert tasks[MAX_BEGUN].cancelled() and tasks[-1].cancelled()


async def test_a_turn_that_came_as_its_asker_gave_up_is_passed_on() -> None:
    queue = AccountFairness()
    start(queue, "b", 1)
    tasks = start(queue, "a", MAX_BEGUN + 2)
    await settle()

    queue.end("a")
    tasks[MAX_BEGUN].cancel()
    await settle()

    assert tasks[MAX_BEGUN].cancelled()
    assert tasks[MAX_BEGUN + 1].done() and not tasks[MAX_BEGUN + 1].cancelled()


async def test_a_crowd_pauses_between_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "MANY_WAITING", 3)
    monkeypatch.setattr(fairness, "PAUSE_SECONDS", 0.05)
    queue = AccountFairness()
    start(queue, "b", 1)
    tasks = start(queue, "a", MAX_BEGUN + 5)
    await settle()

    queue.end("a")
    await settle()
    assert begun(tasks) == MAX_BEGUN
    await eventually(lambda: asyncio.sleep(0, begun(tasks)), lambda count: count == MAX_BEGUN + 1)
    for each in tasks:
        each.cancel()


async def test_nothing_is_left_of_those_who_are_done() -> None:
    queue = AccountFairness()
    start(queue, "a", 3)
    start(queue, "b", 3)
    await settle()
    for account in "aaabbb":
        queue.end(account)
        await settle()

    assert (queue._begun, queue._waiting) == ({}, {})


async def test_a_request_that_gave_up_takes_the_turn_of_no_other() -> None:
    queue = AccountFairness()
    start(queue, "b", 1)
    tasks = start(queue, "a", MAX_BEGUN + 2)
    await settle()
    gave_up, waits = tasks[MAX_BEGUN:]

    gave_up.cancel()
    queue.end("a")  # in the same moment
    await settle()

    assert gave_up.cancelled()
    assert waits.done()
    for _ in range(MAX_BEGUN):
        queue.end("a")
    assert "a" not in queue._begun
