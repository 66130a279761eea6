"""Runs of workflows over HTTP."""

import asyncio

import httpx2
import pytest

from engine.store import Account, Store
from tests.gateway.conftest import Gateway
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import NAME_FIELD, greeting, node
from tests.support.gateway.fake_worker import EngineFails, FakeWorker

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


@pytest.fixture(autouse=True)
async def greeting_is_saved(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201


async def ids(client: httpx2.AsyncClient) -> list[str]:
    rows = (await client.get("/api/executions")).json()["rows"]
    return [row["executionId"] for row in rows]


async def test_a_run_that_fails_without_a_nodes_fault_is_an_internal_error(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    worker.outcome = lambda _: EngineFails()

    answer = await client.post(RUN, json=ASK)

    [execution_id] = await ids(client)
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "It broke",
        "code": "INTERNAL_ERROR",
        "executionId": execution_id,
    }


@pytest.mark.A20
async def test_a_graph_in_the_body_of_a_run_changes_nothing(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    ask = {**ASK, "nodes": [], "graph": {}, "data": {}, "workflow": {}, "values": {"name": "x"}}

    answer = await client.post(RUN, json=ask)

    execution = (await client.get(f"/api/executions/{answer.json()['executionId']}")).json()
    assert answer.json()["result"] == {"text": "Eve"}
    assert [node["id"] for node in execution["nodes"]] == ["in", "text", "out"]


async def test_a_run_uses_what_another_process_has_saved_since(
    client: httpx2.AsyncClient, worker: FakeWorker, store: Store, account: Account
) -> None:
    await client.post(RUN, json=ASK)
    current = await store.workflows.get("greeting")
    fields = [NAME_FIELD, {"name": "size", "label": "Size", "type": "number", "required": True}]
    nodes = [node("in", "requestInput", fields=fields), *current.document.nodes[1:]]
    changed = type(current.document)(name="x", nodes=nodes, edges=current.document.edges)
    await store.workflows.update(account.id, "greeting", changed, [])

    now_wrong = await client.post(RUN, json=ASK)
    now_right = await client.post(RUN, json={"inputs": {"name": "Eve", "size": 3}})

    assert now_wrong.status_code == 400
    assert now_wrong.json()["field"] == "size"
    assert now_right.status_code == 200


async def test_a_process_that_stops_tells_its_waiting_callers_where_to_look(
    client: httpx2.AsyncClient, gateway: Gateway, store: Store, account: Account
) -> None:
    run = asyncio.create_task(client.post(RUN, json=ASK))
    [execution_id] = await eventually(lambda: ids(client))

    gateway.stopping.set()

    answer = await asyncio.wait_for(run, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 202
    assert answer.json()["executionId"] == execution_id
    assert await asyncio.wait_for(gateway.ended, timeout=PATIENCE_SECONDS) == 0


async def test_many_runs_at_once_all_get_their_own_answer(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    asks = [{"inputs": {"name": f"caller {number}"}} for number in range(50)]

    answers = await asyncio.gather(*(client.post(RUN, json=ask) for ask in asks))

    texts = [answer.json()["result"]["text"] for answer in answers]
    assert texts == [f"caller {number}" for number in range(50)]
