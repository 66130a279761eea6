"""Scans of an account's executions: filters, positions and the bound on the work."""

import pytest

from engine.executions.execution import Execution, ExecutionStatus
from engine.store import Account, Store
from engine.store.executions.filters import NONE, ExecutionFilter
from engine.store.executions.scan import read_rows, scan
from engine.store.redis import keyspace
from tests.engine.store.conftest import Saved
from tests.engine.store.executions.test_executions import accept_at

EXECUTION = Execution(
    id="x",
    account_id="acc",
    workflow_slug="echo",
    workflow_version=1,
    source="api-workflow",
    status=ExecutionStatus.COMPLETED,
    created_at=1,
    model_ids=("painter", "writer"),
)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (ExecutionFilter(), True),
        (ExecutionFilter(statuses=[ExecutionStatus.COMPLETED]), True),
        (ExecutionFilter(statuses=[ExecutionStatus.FAILED]), False),
        (ExecutionFilter(workflow_slug="echo", model_id="writer"), True),
        (ExecutionFilter(workflow_slug="other", model_id="writer"), False),
        (ExecutionFilter(model_id="writ"), False),
        (ExecutionFilter(model_id=NONE), False),
        (ExecutionFilter(key_id=NONE), True),
        (ExecutionFilter(http_request_id="req-1"), False),
    ],
)
def test_an_execution_matches_when_every_condition_holds(
    wanted: ExecutionFilter, matches: bool
) -> None:
    assert wanted.matches(EXECUTION) is matches


def test_a_filter_is_open_without_conditions() -> None:
    assert ExecutionFilter().is_open
    assert not ExecutionFilter(model_id="writer").is_open


async def test_rows_follow_a_position_from_the_newest_on(
    store: Store, account: Account, saved: Saved
) -> None:
    for number in range(3):
        await accept_at(store, account, saved, number)
    key = keyspace.account_executions(account.id)
    names = [each.decode() for each in await store.client.send("ZREVRANGE", key, 0, -1)]

    newest = await read_rows(store.client, account.id, None, 2)
    rest = await read_rows(store.client, account.id, newest[-1], 2)

    assert [execution_id for _, execution_id in (*newest, *rest)] == names


async def test_a_scan_examines_no_more_than_its_bound(
    store: Store, account: Account, saved: Saved
) -> None:
    for number in range(3):
        await accept_at(store, account, saved, number)

    pages = [
        page async for page in scan(store.client, account.id, ExecutionFilter(), None, at_most=2)
    ]

    assert sum(len(page.matching) for page in pages) == 2
    assert not pages[-1].is_end
