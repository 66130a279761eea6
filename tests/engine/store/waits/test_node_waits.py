"""A wait is opened once, and ended once: by a person, or by its time."""

import asyncio
from collections.abc import Sequence

import pytest

from engine.executions.node_waits import (
    AnswererKind,
    Decision,
    NewWait,
    NodeWait,
    OnTimeout,
    WaitKind,
)
from engine.store import Store
from engine.store.waits import keys as wait_keys
from engine.store.waits import node_waits
from engine.store.waits.node_waits import (
    AlreadyAnswered,
    Answered,
    ExecutionOver,
    NotWaiting,
    StillWaiting,
    TooManyWaits,
    WaitEnded,
    timeout_answer,
)
from tests.support.store.child_runs import NODE_ID
from tests.support.waits.runs import ASK, DAY, DELAY, WaitRuns, answer


async def test_an_approval_is_opened_once_and_found(runs: WaitRuns, store: Store) -> None:
    opened = await runs.wait()

    assert opened.until == opened.since + DAY
    assert await runs.wait(DELAY) == opened
    found = await store.node_waits.find(runs.asked)
    assert found is not None
    assert (found.node_id, found.kind, found.title) == (NODE_ID, WaitKind.APPROVAL, "Post it?")
    assert (found.since, found.until, found.fields) == (opened.since, opened.until, ASK.fields)
    assert (found.root_id, found.workflow_slug) == (runs.root_id, runs.workflow.slug)
    assert (found.is_open, found.answer, found.over_at) == (True, None, None)


async def test_an_answer_wakes_the_node_and_is_known_to_all_later_ones(
    runs: WaitRuns, store: Store
) -> None:
    await runs.ask()

    first = await store.node_waits.answer(
        runs.asked, answer(fields={"where": "here"}, note="Fine.")
    )
    second = await store.node_waits.answer(runs.asked, answer(Decision.REFUSE))

    assert isinstance(first, Answered)
    assert second == AlreadyAnswered(first.answer)
    assert (first.answer.fields, first.answer.note) == ({"where": "here"}, "Fine.")
    assert await runs.due(runs.root_id) == first.answer.at
    found = await store.node_waits.find(runs.asked)
    assert found is not None
    assert (found.is_open, found.answer) == (False, first.answer)
    entries, _ = await store.audit.page(limit=1)
    assert (entries[0].action, entries[0].subject) == (
        "approval.approve",
        f"{runs.root_id}/{NODE_ID}",
    )
    assert entries[0].after == {"kind": "session", "id": "acc"}


async def test_an_answer_before_the_park_wakes_the_node_when_it_parks(
    runs: WaitRuns, store: Store
) -> None:
    opened = await runs.wait()
    assert isinstance(await store.node_waits.answer(runs.asked, answer()), Answered)

    parked = await runs.park(opened.until)

    assert parked.is_woken


@pytest.mark.A94b
async def test_of_fifty_answers_at_once_one_counts(runs: WaitRuns, store: Store) -> None:
    await runs.ask()
    answers = [answer(note=f"{number}") for number in range(50)]

    verdicts = await asyncio.gather(
        *(store.node_waits.answer(runs.asked, each) for each in answers)
    )

    [won] = [each for each in verdicts if isinstance(each, Answered)]
    others = [each for each in verdicts if not isinstance(each, Answered)]
    assert others == [AlreadyAnswered(won.answer)] * 49


@pytest.mark.parametrize("on_timeout", OnTimeout)
@pytest.mark.A94b
async def test_a_wait_whose_time_has_come_ends_with_the_answer_for_that(
    on_timeout: OnTimeout, runs: WaitRuns, store: Store
) -> None:
    await runs.wait(NewWait(kind=WaitKind.APPROVAL, until=1_000, on_timeout=on_timeout))
    found = await store.node_waits.find(runs.asked)
    assert found is not None
    assert await store.node_waits.answer(runs.asked, answer()) == NotWaiting()

    ended = await store.node_waits.end(runs.asked, timeout_answer(found))

    assert isinstance(ended, WaitEnded)
    decided = ended.answer and (ended.answer.decision, ended.answer.by.kind)
    expected = on_timeout.decision and (on_timeout.decision, AnswererKind.TIMEOUT)
    assert decided == expected
    assert await store.node_waits.end(runs.asked, timeout_answer(found)) == ended
    later = await store.node_waits.answer(runs.asked, answer())
    assert later == (AlreadyAnswered(ended.answer) if ended.answer else NotWaiting())
    found = await store.node_waits.find(runs.asked)
    assert found is not None
    assert (found.over_at is None) is (ended.answer is not None)


async def test_a_delay_has_no_answer_and_ends_at_its_time(runs: WaitRuns, store: Store) -> None:
    await runs.ask(DELAY)

    assert await store.node_waits.answer(runs.asked, answer()) == NotWaiting()
    assert await store.node_waits.end(runs.asked) == StillWaiting()
    assert await store.node_waits.list_approvals(runs.account.id, limit=9) == ([], None)


async def test_no_wait_is_opened_beyond_the_limit_of_the_account(
    runs: WaitRuns, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_waits, "MAX_WAITING", 1)
    await store.client.send("HSET", wait_keys.waits(runs.account.id), "other", 1)

    assert await runs.try_wait() == TooManyWaits(1)
    await store.client.send("HDEL", wait_keys.waits(runs.account.id), "other")
    await runs.wait()


async def test_an_ended_execution_waits_for_nothing(runs: WaitRuns, store: Store) -> None:
    await runs.end_parent()

    assert await runs.try_wait() == ExecutionOver()
    assert await store.node_waits.find(runs.asked) is None
    assert await store.node_waits.answer(runs.asked, answer()) == NotWaiting()


async def test_approvals_are_listed_newest_first(runs: WaitRuns, store: Store) -> None:
    asked = []
    for _ in range(3):
        await runs.begin_root()
        await runs.ask()
        asked.append(runs.root_id)

    first, cursor = await store.node_waits.list_approvals(runs.account.id, limit=2)
    second, end = await store.node_waits.list_approvals(runs.account.id, limit=2, cursor=cursor)

    assert [each.execution_id for each in (*first, *second)] == sorted_by_begin(first, second)
    assert {each.execution_id for each in (*first, *second)} == set(asked)
    assert end is None


def sorted_by_begin(*pages: Sequence[NodeWait]) -> list[str]:
    rows = [each for page in pages for each in page]
    rows.sort(key=lambda each: (each.since, each.execution_id), reverse=True)
    return [each.execution_id for each in rows]


async def test_a_child_waits_in_the_list_of_its_root(runs: WaitRuns, store: Store) -> None:
    await runs.open(2)
    await runs.begin(0, 1)
    asked = [await runs.ask_in_child(index) for index in (0, 1)]

    found = await store.node_waits.of_children(runs.account.id, runs.root_id)

    assert {each.execution_id for each in found} == {each.execution_id for each in asked}
    assert {each.root_id for each in found} == {runs.root_id}
    assert isinstance(await store.node_waits.answer(asked[0], answer()), Answered)
    [left] = await store.node_waits.of_children(runs.account.id, runs.root_id)
    assert left.execution_id == asked[1].execution_id
