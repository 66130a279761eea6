"""Executions that only the history has, over HTTP: each answer is the one of before."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.history.archiving.entry_archive import EntryArchive
from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, CompletionWaiter, Store
from engine.store.redis import keyspace
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import NAME_FIELD, edge, node
from tests.support.history.archived import History
from tests.support.http.webhook_receivers import receiving
from workers.main import worker

RUN = "/api/workflows/shouts/run"
LARGE = "A" * 300_000
"""Name whose values are objects beside the record."""
STREAM = {"accept": "text/event-stream"}


def document(**members: Any) -> dict[str, Any]:
    """Return a workflow that fails without a name, and whose outputs are recorded."""
    return {
        "name": "Shouts",
        "nodes": [
            node("in", "requestInput", fields=[{**NAME_FIELD, "maxLength": len(LARGE)}]),
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
    answer = await client.post(RUN, json={"inputs": {"name": name}}, headers=STREAM)
    return answer.text.partition('"executionId":"')[2].partition('"')[0]


async def move(history: History, account: Account, *execution_ids: str) -> None:
    await history.move(*(keyspace.reference(account.id, each) for each in execution_ids))


async def move_deliveries(history: History) -> None:
    """Leave ended deliveries to the database alone."""
    entries = EntryArchive(history.store, history.database)
    await entries.archive_deliveries()
    assert await entries.forget_deliveries(await history.store.leases.now() + 60_000)


async def has_ended(client: httpx2.AsyncClient, execution_id: str) -> None:
    path = f"/api/executions/{execution_id}"
    await eventually(
        lambda: client.get(path), lambda answer: answer.json()["status"] != "processing"
    )


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
@pytest.mark.parametrize("name", ["Ada", "", LARGE], ids=["short", "none", "large"])
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


@pytest.mark.parametrize(
    "headers",
    [{}, STREAM, {"prefer": "respond-async"}],
    ids=["synchronous", "stream", "asynchronous"],
)
async def test_a_repeated_call_gets_the_answer_of_an_archived_execution(
    client: httpx2.AsyncClient, history: History, account: Account, headers: dict[str, str]
) -> None:
    headers = {"idempotency-key": "order-1", **headers}
    body = {"inputs": {"name": "Ada"}}
    first = await client.post(RUN, json=body, headers=headers)
    execution_id = first.text.partition('"executionId":"')[2].partition('"')[0]
    await has_ended(client, execution_id)
    await move(history, account, execution_id)

    again = await client.post(RUN, json=body, headers=headers)

    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.text) == (first.status_code, first.text)


async def test_a_caller_gets_the_result_of_an_execution_that_was_archived_meanwhile(
    client: httpx2.AsyncClient,
    history: History,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CompletionWaiter, "wake", lambda *_: None)  # the notification is lost

    async def running() -> list[str]:
        rows = (await client.get("/api/executions")).json()["rows"]
        return [row["executionId"] for row in rows if row["status"] == "completed"]

    waiting = asyncio.create_task(client.post(RUN, json={"inputs": {"name": "Ada"}}))
    [execution_id] = await eventually(running)
    await move(history, account, execution_id)

    assert not waiting.done()
    assert (await waiting).json()["result"] == 7


async def test_a_run_of_anothers_public_workflow_is_shown_as_before(
    client: httpx2.AsyncClient,
    strangers_client: httpx2.AsyncClient,
    stranger: Account,
    history: History,
) -> None:
    await client.put("/api/workflows/shouts", json=document(publicPlayground=True))
    execution_id = await run(strangers_client, "Ada")
    before = await answers(strangers_client, execution_id)

    await move(history, stranger, execution_id)

    assert await answers(strangers_client, execution_id) == before
    assert (await client.get(f"/api/executions/{execution_id}")).status_code == 404


async def test_a_workflow_keeps_its_last_run(
    client: httpx2.AsyncClient, history: History, account: Account
) -> None:
    ids = [await run(client, name) for name in ("Ada", "")]
    before = (await client.get("/api/workflows")).json()

    await move(history, account, *ids)

    assert (await client.get("/api/workflows")).json() == before
    assert before[0]["lastRun"]["status"] == "failed"
    assert before[0]["runs7d"] == 2


async def test_a_webhook_is_told_again_of_an_archived_execution(
    make_client: MakeClient,
    browser: httpx2.AsyncClient,
    store: Store,
    history: History,
    account: Account,
) -> None:
    key, secret = await store.api_keys.create(
        account, name="told", capabilities=["workflow:run", "webhook:receive"]
    )
    path = f"/api/api-keys/{key.id}/webhook"

    async def rows(attempts: int) -> list[dict[str, Any]]:
        listed = (await browser.get(f"{path}/deliveries")).json()["rows"]
        done = [each for each in listed if each["status"] == "delivered"]
        return [each for each in done if len(each["attempts"]) == attempts]

    async with receiving() as receiver:
        await browser.put(path, json={"url": f"{receiver.url}/ok"})
        client = await make_client(secret)
        accepted = await client.post(f"{RUN}?async=true", json={"inputs": {"name": "Ada"}})
        [row] = await eventually(lambda: rows(1))
        await move_deliveries(history)
        await move(history, account, accepted.json()["executionId"])
        assert await rows(1) == [row]

        answer = await browser.post(f"{path}/deliveries/{row['id']}/redeliver")
        await eventually(lambda: rows(2))

    assert answer.status_code == 202
    first, second = receiver.received
    assert first.body == second.body
    assert first.event["result"] == 7
