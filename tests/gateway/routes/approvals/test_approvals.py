"""Approvals of waiting runs and of their children, as the routes show and answer them."""

from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.store.child_runs import NODE_ID
from tests.support.waits.runs import ASK, DELAY, WaitRuns

FORM = [dict(each) for each in ASK.fields]


@pytest.fixture
async def runs(store: Store, account: Account) -> WaitRuns:
    """Return a root whose first node runs."""
    return await WaitRuns.rooted(store, account)


async def shown(client: httpx2.AsyncClient, execution_id: str) -> Any:
    return (await client.get(f"/api/executions/{execution_id}")).json()["waitingFor"]


async def test_a_run_shows_the_waits_of_its_children_with_their_ids(
    browser: httpx2.AsyncClient, runs: WaitRuns
) -> None:
    await runs.open(2)
    await runs.begin(0, 1)
    delayed, asked = await runs.ask_in_child(0, DELAY), await runs.ask_in_child(1)
    root_id = runs.parent.lease.execution_id

    # Two waits that begin in the same millisecond have no order of their own.
    of_child = {each["executionId"]: each for each in await shown(browser, root_id)}

    assert of_child.keys() == {delayed.execution_id, asked.execution_id}
    delay, question = of_child[delayed.execution_id], of_child[asked.execution_id]
    assert delay.keys() == {"nodeId", "kind", "since", "until", "executionId"}
    assert (delay["kind"], question["kind"]) == ("delay", "approval")
    texts = (question["title"], question["message"], question["fields"])
    assert texts == (ASK.title, ASK.message, FORM)
    [own] = await shown(browser, asked.execution_id)
    assert "executionId" not in own
    assert {**own, "executionId": asked.execution_id} == question
    [row] = (await browser.get("/api/approvals")).json()["rows"]
    assert (row["executionId"], row["rootId"]) == (asked.execution_id, root_id)
    path = f"/api/executions/{asked.execution_id}/approvals/{NODE_ID}"
    answer = await browser.post(path, json={"decision": "approve", "fields": {"where": "x"}})
    assert answer.status_code == 200
    assert [each["kind"] for each in await shown(browser, root_id)] == ["delay"]


async def test_a_link_begins_with_the_address_that_its_reader_has_called(
    browser: httpx2.AsyncClient, make_client: MakeClient, store: Store, runs: WaitRuns
) -> None:
    await runs.ask()
    root_id = runs.parent.lease.execution_id
    [entry] = await shown(browser, root_id)

    assert entry["url"].startswith(f"{str(browser.base_url).rstrip('/')}/approvals/")
    narrow = ["execution:read", "webhook:receive"]
    _, secret = await store.api_keys.create(runs.account, name="k", capabilities=narrow)
    [seen] = await shown(await make_client(secret), root_id)
    assert {**seen, "url": entry["url"]} == entry
