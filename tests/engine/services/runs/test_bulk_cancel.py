"""Cancellation of many executions."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from engine.executions.statuses import ExecutionStatus
from engine.services.runs import bulk_cancel
from engine.services.runs.bulk_cancel import Cancelled, cancel_matching
from engine.store import Account, ExecutionFilter, Store
from tests.support.store.records import accept, save


async def begin(store: Store, account: Account, count: int) -> list[str]:
    workflow, plan = await save(store, account)
    return [(await accept(store, account, workflow, plan)).id for _ in range(count)]


async def test_more_is_told_when_executions_are_left(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_cancel, "MOST_CANCELLED", 3)
    await begin(store, account, 5)
    wanted = ExecutionFilter(workflow_slug="echo")

    found = [await cancel_matching(store.executions, account.id, wanted) for _ in range(3)]

    assert found == [
        Cancelled(cancelled=3, is_more=True),
        Cancelled(cancelled=2, is_more=False),
        Cancelled(cancelled=0, is_more=False),
    ]


async def test_more_is_told_when_executions_are_left_in_a_later_page(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_cancel, "MOST_CANCELLED", 3)
    await begin(store, account, 5)
    read_active = store.executions.unfinished

    async def read_one_by_one(*args: Any) -> AsyncIterator[Sequence[str]]:
        async for page in read_active(*args):
            for each in page:
                yield [each]

    monkeypatch.setattr(store.executions, "unfinished", read_one_by_one)

    found = await cancel_matching(store.executions, account.id, ExecutionFilter(key_id="key_1"))

    assert found == Cancelled(cancelled=3, is_more=True)


async def test_executions_that_a_scan_repeats_count_once(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_cancel, "MOST_CANCELLED", 3)
    await begin(store, account, 5)
    read_active = store.executions.unfinished

    async def read_first_twice(*args: Any) -> AsyncIterator[Sequence[str]]:
        ids = [each async for page in read_active(*args) for each in page]
        yield ids[:2]
        yield ids[:2]
        yield ids[2:]

    monkeypatch.setattr(store.executions, "unfinished", read_first_twice)

    found = await cancel_matching(store.executions, account.id, ExecutionFilter(key_id="key_1"))

    assert found == Cancelled(cancelled=3, is_more=True)


async def test_exactly_as_many_as_can_be_cancelled_leave_none(
    store: Store, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_cancel, "MOST_CANCELLED", 3)
    await begin(store, account, 3)

    found = await cancel_matching(store.executions, account.id, ExecutionFilter(key_id="key_1"))

    assert found == Cancelled(cancelled=3, is_more=False)


async def test_what_stops_already_is_not_counted(store: Store, account: Account) -> None:
    one, other = await begin(store, account, 2)
    await store.walks.claim(f"{account.id}/{one}", "w1")
    await store.executions.cancel(account.id, one)
    assert await store.executions.status(account.id, one) is ExecutionStatus.CANCEL_REQUESTED

    found = await cancel_matching(
        store.executions, account.id, ExecutionFilter(workflow_slug="echo")
    )

    assert found.cancelled == 1
    assert await store.executions.status(account.id, other) is ExecutionStatus.CANCELLED


@pytest.mark.parametrize(
    "wanted",
    [
        ExecutionFilter(workflow_slug="other"),
        ExecutionFilter(key_id="key_2"),
        ExecutionFilter(source="app"),
    ],
    ids=str,
)
async def test_what_does_not_fit_goes_on(
    store: Store, account: Account, wanted: ExecutionFilter
) -> None:
    [begun] = await begin(store, account, 1)

    assert (await cancel_matching(store.executions, account.id, wanted)).cancelled == 0
    assert await store.executions.status(account.id, begun) is ExecutionStatus.PROCESSING
