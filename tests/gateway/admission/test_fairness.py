"""Fairness between accounts that call at the same time."""

import asyncio

import pytest

from gateway.admission import fairness
from gateway.admission.fairness import MAX_BEGUN, AccountFairness
from tests.support.eventually import eventually


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "MANY_WAITING", 1_000)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def ask(line: AccountFairness, account: str, count: int) -> list["asyncio.Task[None]"]:
    return [asyncio.create_task(line.begin(account)) for _ in range(count)]


def begun(asked: list["asyncio.Task[None]"]) -> int:
    return sum(each.done() for each in asked)


async def test_an_account_alone_is_not_held_up() -> None:
    line = AccountFairness()

    asked = ask(line, "a", 50)
    await settle()

    assert begun(asked) == 50


async def test_beside_another_an_account_has_a_few_at_once_in_the_order_they_came() -> None:
    line = AccountFairness()
    other = ask(line, "b", 1)
    asked = ask(line, "a", 10)
    await settle()

    assert begun(asked) == MAX_BEGUN
    for done in range(1, 9):
        line.end("a")
        await settle()
        assert [each.done() for each in asked] == [n < MAX_BEGUN + done for n in range(10)]
    assert begun(other) == 1


async def test_the_other_goes_first_however_many_wait() -> None:
    line = AccountFairness()
    ask(line, "b", 1)
    asked = ask(line, "a", 100)
    await settle()
    line.end("b")

    late = ask(line, "b", 1)
    await settle()

    assert begun(late) == 1
    assert begun(asked) == MAX_BEGUN
    for each in asked:
        each.cancel()


async def test_an_account_is_alone_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "CONTENDED_SECONDS", 0.0)
    line = AccountFairness()
    ask(line, "b", 1)
    await settle()

    asked = ask(line, "a", 50)
    await settle()

    assert begun(asked) == 50


async def test_who_gives_up_leaves_its_turn_to_the_next() -> None:
    line = AccountFairness()
    ask(line, "b", 1)
    asked = ask(line, "a", MAX_BEGUN + 3)
    await settle()

    asked[MAX_BEGUN].cancel()
    line.end("a")
    await settle()
    asked[-1].cancel()
    line.end("a")
    await settle()

    assert asked[MAX_BEGUN + 1].done() and not asked[MAX_BEGUN + 1].cancelled()
    assert asked[MAX_BEGUN].cancelled() and asked[-1].cancelled()


async def test_a_turn_that_came_as_its_asker_gave_up_is_passed_on() -> None:
    line = AccountFairness()
    ask(line, "b", 1)
    asked = ask(line, "a", MAX_BEGUN + 2)
    await settle()

    line.end("a")
    asked[MAX_BEGUN].cancel()
    await settle()

    assert asked[MAX_BEGUN].cancelled()
    assert asked[MAX_BEGUN + 1].done() and not asked[MAX_BEGUN + 1].cancelled()


async def test_a_crowd_pauses_between_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "MANY_WAITING", 3)
    monkeypatch.setattr(fairness, "PAUSE_SECONDS", 0.05)
    line = AccountFairness()
    ask(line, "b", 1)
    asked = ask(line, "a", MAX_BEGUN + 5)
    await settle()

    line.end("a")
    await settle()
    assert begun(asked) == MAX_BEGUN
    await eventually(lambda: asyncio.sleep(0, begun(asked)), lambda count: count == MAX_BEGUN + 1)
    for each in asked:
        each.cancel()


async def test_nothing_is_left_of_those_who_are_done() -> None:
    line = AccountFairness()
    ask(line, "a", 3)
    ask(line, "b", 3)
    await settle()
    for account in "aaabbb":
        line.end(account)
        await settle()

    assert (line._begun, line._waiting) == ({}, {})
