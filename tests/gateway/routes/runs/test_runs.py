"""Runs of workflows over HTTP."""

import asyncio
import uuid
from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from tests.gateway.conftest import Gateway, MakeClient
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.gateway.documents import NAME_FIELD, broken, greeting, node
from tests.support.gateway.fake_worker import EngineFails, FakeWorker, NodeFails

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


@pytest.fixture(autouse=True)
async def greeting_is_saved(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201


async def ids(client: httpx2.AsyncClient) -> list[str]:
    rows = (await client.get("/api/executions")).json()["rows"]
    return [row["executionId"] for row in rows]


async def test_a_run_answers_with_its_result(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    answer = await client.post(RUN, json=ASK)

    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["success", "result", "cost", "ms", "executionId"]
    assert body["success"] is True
    assert body["result"] == {"text": "Eve"}
    assert body["cost"] == 0
    assert isinstance(body["ms"], int) and body["ms"] >= 0
    assert uuid.UUID(body["executionId"]).version == 4


async def test_an_async_run_answers_at_once(client: httpx2.AsyncClient) -> None:
    answer = await client.post(RUN, params={"async": "true"}, json=ASK)

    body = answer.json()
    execution_id = body["executionId"]
    assert answer.status_code == 202
    assert body == {
        "_async": True,
        "executionId": execution_id,
        "requestId": execution_id,
        "status": "processing",
        "webhookDelivery": {"configured": False},
        "pollUrl": f"/api/executions/{execution_id}",
    }
    assert answer.elapsed.total_seconds() < 20


async def test_a_poll_url_leads_to_the_execution(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    accepted = (await client.post(RUN, params={"async": "true"}, json=ASK)).json()

    async def read() -> Any:
        return (await client.get(accepted["pollUrl"])).json()

    execution = await eventually(read, lambda body: body["status"] == "completed")
    assert execution["result"] == {"text": "Eve"}


@pytest.mark.parametrize(
    ("params", "headers"),
    [
        ({"timeout": "0.2"}, {}),
        ({"timeout": "0"}, {}),
        ({"timeout": "1.5e-07"}, {}),
        ({}, {"prefer": "respond-async, wait=0.2"}),
    ],
)
async def test_a_caller_whose_time_is_up_is_told_where_to_look(
    client: httpx2.AsyncClient, params: dict[str, str], headers: dict[str, str]
) -> None:
    answer = await client.post(RUN, params=params, headers=headers, json=ASK)

    assert answer.status_code == 202
    assert answer.json()["executionId"] in await ids(client)
    assert answer.elapsed.total_seconds() < 20


async def test_a_failed_run_names_its_node(client: httpx2.AsyncClient, worker: FakeWorker) -> None:
    worker.outcome = lambda _: NodeFails("text", "no such thing")

    answer = await client.post(RUN, json=ASK)

    body = answer.json()
    assert answer.status_code == 500
    assert body == {
        "error": "Node 'text' failed: no such thing",
        "code": "EXECUTION_FAILED",
        "nodeId": "text",
        "nodeType": "textBox",
        "nodeCode": "template_error",
        "reason": "no such thing",
        "retryable": False,
        "executionId": (await ids(client))[0],
    }


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


async def test_a_cancelled_run_is_a_conflict(client: httpx2.AsyncClient) -> None:
    run = asyncio.create_task(client.post(RUN, json=ASK))
    [execution_id] = await eventually(lambda: ids(client))

    cancel = await client.post(f"/api/executions/{execution_id}/cancel")

    assert cancel.status_code == 202
    assert cancel.json() == {"executionId": execution_id, "status": "cancel_requested"}
    answer = await run
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "The execution was cancelled",
        "code": "EXECUTION_CANCELLED",
        "executionId": execution_id,
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"{}", b'{"inputs": []}', b'{"inputs": null}', b"\xff"]
    + [b'{"inputs": {"name": NaN}}', b'{"inputs": {"name": 1e400}}', b"\xef\xbb\xbf{}"]
    + [b'{"inputs": {"name": "\\ud800"}}', b'{"inputs": {"a": 18446744073709551616}}']
    + [b'{"inputs": {"a": -9223372036854775809}}', b'{"inputs": {"a": ' + b"9" * 4_000 + b"}}"]
    + [b'{"inputs":' + b'{"a":' * 64 + b"1" + b"}" * 65, b"[" * 100_000],
)
async def test_a_body_that_is_not_right_is_refused(client: httpx2.AsyncClient, body: bytes) -> None:
    answer = await client.post(RUN, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_BODY"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    + ["application/json; charset=utf-16", "application/json, text/plain", "application/jsonx"],
)
async def test_a_body_of_another_type_is_refused(
    client: httpx2.AsyncClient, content_type: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}

    answer = await client.post(RUN, content=b'{"inputs": {"name": "Eve"}}', headers=headers)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_BODY"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
async def test_an_encoded_body_is_refused(client: httpx2.AsyncClient, encoding: str) -> None:
    answer = await client.post(RUN, json=ASK, headers={"content-encoding": encoding})

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_BODY"


@pytest.mark.parametrize("content_type", ["Application/JSON", 'application/json; charset="UTF-8"'])
async def test_json_is_taken_however_it_is_spelled(
    client: httpx2.AsyncClient, worker: FakeWorker, content_type: str
) -> None:
    answer = await client.post(
        RUN, content=b'{"inputs": {"name": "Eve"}}', headers={"content-type": content_type}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("params", "field"),
    [({"timeout": "soon"}, "timeout"), ({"timeout": "-1"}, "timeout"), ({"timeout": ""}, "timeout")]
    + [({"timeout": "nan"}, "timeout"), ({"timeout": "1_0"}, "timeout"), ({"async": "x"}, "async")]
    + [({"async": ["true", "false"]}, "async"), ({"max_credits": "-1"}, "max_credits")]
    + [({"max_credits": str(2**53)}, "max_credits"), ({"max_credits": "1.5"}, "max_credits")]
    + [({"max_credits": ""}, "max_credits"), ({"max_credits": ["1", "2"]}, "max_credits")],
)
async def test_a_query_value_that_does_not_parse_is_refused(
    client: httpx2.AsyncClient, params: dict[str, Any], field: str
) -> None:
    answer = await client.post(RUN, params=params, json=ASK)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_QUERY"
    assert answer.json()["field"] == field


async def test_inputs_that_do_not_fit_are_refused_with_field_and_reason(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.post(RUN, json={"inputs": {"name": 5}})

    body = answer.json()
    assert answer.status_code == 400
    assert body["code"] == "INVALID_INPUTS"
    assert body["field"] == "name"
    assert body["reason"]
    assert await ids(client) == []


async def test_unknown_inputs_are_refused_only_by_a_strict_workflow(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    strict = greeting("Strict")
    strict["nodes"][0] = node("in", "requestInput", fields=[NAME_FIELD], strict=True)
    await client.post("/api/workflows", json=strict)
    ask = {"inputs": {"name": "Eve", "more": 1}}

    lenient_answer = await client.post(RUN, json=ask)
    strict_answer = await client.post("/api/workflows/strict/run", json=ask)

    assert lenient_answer.status_code == 200
    assert strict_answer.status_code == 400
    assert strict_answer.json()["reason"] == "unknown field"


async def test_a_draft_cannot_run_and_says_why(client: httpx2.AsyncClient) -> None:
    saved = await client.post("/api/workflows", json=broken(draft=True))

    answer = await client.post("/api/workflows/broken/run", json={"inputs": {}})

    assert saved.status_code == 201
    assert answer.status_code == 409
    assert answer.json()["code"] == "WORKFLOW_NOT_RUNNABLE"
    assert {"nodeId", "reason"} <= set(answer.json()["problems"][0])


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


async def test_a_caller_that_hangs_up_only_stops_waiting(
    client: httpx2.AsyncClient, make_client: MakeClient, api_key: str, worker: FakeWorker
) -> None:
    worker.is_idle = True
    impatient = await make_client(api_key)
    run = asyncio.create_task(impatient.post(RUN, json=ASK))
    [execution_id] = await eventually(lambda: ids(client))
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await impatient.aclose()

    worker.is_idle = False

    async def read() -> Any:
        return (await client.get(f"/api/executions/{execution_id}")).json()

    assert await eventually(read, lambda body: body["status"] == "completed")


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
