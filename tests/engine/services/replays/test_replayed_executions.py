"""Executions that replays run again, and those that they do not."""

from typing import Any

import pytest

from engine.errors import InvalidBody
from engine.services.replays.replayed_executions import ReplayedExecution, fault_of
from engine.store import Account, Store
from tests.support.replays.ended_calls import DONE, ended_call

RECORD = {
    "status": b"completed",
    "slug": b"echo",
    "source": b"api-workflow",
    "statuses": b"c",
    "format": b"1",
}


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"status": None}, "is no execution of yours"),
        ({"owner": b"acc"}, "is no execution of yours"),
        ({"slug": b"other"}, "is an execution of another workflow"),
        ({"source": b"app-draft"}, "is of a draft"),
        ({"source": b"replay"}, "is of a draft"),
        ({"source": b"test"}, "is of a draft"),
        ({"parent": b"id"}, "is of a draft"),
        ({"status": b"processing"}, "has neither completed nor failed"),
        ({"status": b"cancelled"}, "has neither completed nor failed"),
        ({"dropped": b"1"}, "has no recorded values"),
        ({"format": b"99"}, "is of a later version"),
    ],
)
def test_some_executions_are_not_run_again(changes: dict[str, Any], reason: str) -> None:
    record = {name: value for name, value in (RECORD | changes).items() if value is not None}

    assert (fault_of(record, "echo") or "").startswith(reason)
    assert fault_of(RECORD, "echo") is None


async def test_an_unknown_one_is_refused_by_its_id(store: Store, account: Account) -> None:
    slug, _ = await ended_call(store, account, DONE)
    unknown = "00000000-0000-4000-8000-000000000001"

    with pytest.raises(InvalidBody) as refused:
        await ReplayedExecution.read(store, account.id, slug, unknown)

    assert refused.value.context == {"executionIds": [unknown]}


async def test_its_values_are_read_from_the_record(store: Store, account: Account) -> None:
    slug, execution_id = await ended_call(store, account, DONE)

    former = await ReplayedExecution.read(store, account.id, slug, execution_id)
    plan = await former.read_plan()
    progress = await former.read_progress(plan)

    assert await former.read_inputs() == {"who": "Ada"}
    assert [value for _, value in progress.delivered(1)] == ["Ada"]
    assert [value for _, value in progress.delivered(2)] == ["done"]
    assert (former.bytes, former.was_walked_unclaimed) == (0, False)


async def test_an_execution_without_recorded_values_is_refused(
    store: Store, account: Account
) -> None:
    slug, execution_id = await ended_call(store, account, DONE, document={"recordValues": "none"})

    with pytest.raises(InvalidBody, match="has no recorded values"):
        await ReplayedExecution.read(store, account.id, slug, execution_id)
