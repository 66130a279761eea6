"""Executions that only the history has, over HTTP: each answer is the one of before."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.history.database import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.eventually import eventually
from tests.support.gateway.documents import NAME_FIELD, edge, node
from tests.support.history.archived import History
from workers.main import worker

RUN = "/api/workflows/shouts/run"


def document(**members: Any) -> dict[str, Any]:
    """Return a workflow that fails without a name, and whose outputs are recorded."""
    return {
        "name": "Shouts",
        "nodes": [
            node("in", "requestInput", fields=[NAME_FIELD]),
            node("first", "transform", expression="value + '!'"),
            node("second", "transform", expression="value == '!' ? int(value) : 7"),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "first", "value-in"),
            edge("first", "value-out", "second", "value-in"),
            edge("second", "value-out", "out", "result-in"),
        ],
        **members,
    }


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return replace(settings, database_url=database_url)


@pytest.fixture
def history(store: Store, database: Database) -> History:
    return History(store, database)


@pytest.fixture(autouse=True)
async def a_worker_runs(settings: Settings, client: httpx2.AsyncClient) -> AsyncIterator[None]:
    assert (await client.post("/api/workflows", json=document())).status_code == 201
    async with worker(settings):
        yield


async def run(client: httpx2.AsyncClient, name: str, **headers: str) -> str:
    """Run the workflow; return the execution's id."""
    answer = await client.post(RUN, json={"inputs": {"name": name}}, headers=headers)
    assert answer.status_code in (200, 500), answer.text
    return str(answer.json()["executionId"])


async def watched(client: httpx2.AsyncClient, name: str) -> str:
    """Run the workflow, watched from the beginning; return the execution's id."""
    headers = {"accept": "text/event-stream"}
    answer = await client.post(RUN, json={"inputs": {"name": name}}, headers=headers)
    return answer.text.partition('"executionId":"')[2].partition('"')[0]


async def move(history: History, account: Account, *execution_ids: str) -> None:
    await history.move(*(keyspace.reference(account.id, each) for each in execution_ids))


async def answers(client: httpx2.AsyncClient, execution_id: str) -> dict[str, tuple[int, str]]:
    """Return status and body of every read of an execution."""
    path = f"/api/executions/{execution_id}"
    paths = [
        path,
        "/api/executions",
        "/api/usage",
        f"{path}/values",
        f"{path}/values?node=first&output=value-out",
        f"{path}/events",
        *(f"{path}/nodes/{each}" for each in ("in", "first", "second", "out", "none")),
    ]
    found = [(each, await client.get(each)) for each in paths]
    found += [
        (f"events after {last}", await client.get(paths[5], headers={"last-event-id": last}))
        for last in ("1.0", "2.0", "3.1", "99.0")
    ]
    return {name: (answer.status_code, answer.text) for name, answer in found}


@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("name", ["Ada", ""])
async def test_every_answer_is_that_of_before(
    client: httpx2.AsyncClient, history: History, account: Account, name: str, is_watched: bool
) -> None:
    execution_id = await (watched if is_watched else run)(client, name)
    before = await answers(client, execution_id)

    await move(history, account, execution_id)

    assert await answers(client, execution_id) == before
    assert before[f"/api/executions/{execution_id}"][0] == 200


async def test_executions_of_others_are_not_found(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    history: History,
    account: Account,
) -> None:
    execution_id = await run(client, "Ada")
    await move(history, account, execution_id)

    found = await answers(strangers_client, execution_id)

    statuses = {name: status for name, (status, _) in found.items()}
    assert statuses.pop("/api/executions") == statuses.pop("/api/usage") == 200
    assert set(statuses.values()) == {404}


async def test_an_archived_execution_has_ended_for_a_cancel(
    client: httpx2.AsyncClient, history: History, account: Account
) -> None:
    execution_id = await run(client, "Ada")
    await move(history, account, execution_id)

    answer = await client.post(f"/api/executions/{execution_id}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "EXECUTION_NOT_CANCELLABLE")
    assert answer.json()["status"] == "completed"


async def test_an_archived_failure_is_retried_once(
    client: httpx2.AsyncClient, history: History, account: Account
) -> None:
    failed = await run(client, "")
    await move(history, account, failed)
    path = f"/api/executions/{failed}"

    first, second = [await client.post(f"{path}/retry") for _ in range(2)]

    assert first.status_code == 202, first.text
    assert second.json()["executionId"] == first.json()["executionId"]
    retry = f"/api/executions/{first.json()['executionId']}"
    ended = await eventually(
        lambda: client.get(retry), lambda answer: answer.json()["status"] != "processing"
    )
    assert (ended.json()["status"], ended.json()["retryOf"]) == ("failed", failed)
    shown = (await client.get("/api/executions")).json()["rows"]
    assert [row["executionId"] for row in shown] == [first.json()["executionId"], failed]


async def test_a_retry_is_known_after_the_failure_was_archived_again(
    client: httpx2.AsyncClient, history: History, account: Account
) -> None:
    failed = await run(client, "")
    retry = (await client.post(f"/api/executions/{failed}/retry")).json()["executionId"]
    await eventually(
        lambda: client.get(f"/api/executions/{retry}"),
        lambda answer: answer.json()["status"] == "failed",
    )
    await move(history, account, failed, retry)

    again = await client.post(f"/api/executions/{failed}/retry")

    assert again.json()["executionId"] == retry


async def test_a_draft_takes_outputs_from_an_archived_execution(
    client: httpx2.AsyncClient, history: History, account: Account
) -> None:
    execution_id = await run(client, "Ada")
    await move(history, account, execution_id)
    await client.put("/api/workflows/shouts/draft", json=document())
    body = {"inputs": {"name": "Ada"}, "from": execution_id}

    answer = await client.post("/api/workflows/shouts/draft/run", json=body)

    assert answer.json()["result"] == 7
    ran = (await client.get(f"/api/executions/{answer.json()['executionId']}")).json()
    assert [each["attempts"] for each in ran["nodes"]] == [0, 0, 0, 1]


async def test_a_repeated_call_gets_the_answer_of_an_archived_execution(
    client: httpx2.AsyncClient, history: History, account: Account
) -> None:
    headers = {"idempotency-key": "order-1"}
    execution_id = await run(client, "Ada", **headers)
    await move(history, account, execution_id)

    again = await client.post(RUN, json={"inputs": {"name": "Ada"}}, headers=headers)

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["executionId"] == execution_id
    assert again.json()["result"] == 7
