"""Names in requests without an effect are refused, or named in a warning."""

from typing import Any

import httpx2
import pytest
from starlette.routing import Route

from engine.graph.document import parse_document
from engine.settings import Settings
from engine.store import Account, Store
from gateway.app import routes
from gateway.auth.guard import API, Endpoint, Guarded
from gateway.auth.resource import Resource
from tests.support.gateway.documents import greeting, node
from tests.support.gateway.fake_worker import FakeWorker
from tests.support.gateway.matrix.calls import PATH

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve", "nmae": "Adam"}}
WARNING = "The input 'nmae' was ignored: there is no field of that name"


def endpoints() -> list[tuple[str, str, Endpoint]]:
    return [
        (method, route.path, endpoint)
        for route in routes(Settings())
        if isinstance(route, Route) and isinstance(route.endpoint, Resource)
        for method, endpoint in route.endpoint.endpoints.items()
        if route.path.startswith(API)
    ]


@pytest.fixture
async def saved(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/workflows", json=greeting())).status_code == 201


async def test_no_endpoint_of_the_api_takes_a_query_parameter_that_it_does_not_know(
    client: httpx2.AsyncClient, browser: httpx2.AsyncClient, saved: None
) -> None:
    payload = 0
    for method, path, endpoint in endpoints():
        caller = client if isinstance(endpoint, Guarded) else browser
        answer = await caller.request(method, path.format(**PATH) + "?dry_run=true", json={})
        if answer.status_code in (403, 401):
            continue  # for admins
        payload += 1
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "INVALID_QUERY"), (method, path, body)
        assert body["field"] == "dry_run"
    assert payload > 20


@pytest.mark.parametrize("name", ["dry_run", "revision", "Async", "max-credits"])
async def test_a_run_with_an_unknown_query_parameter_runs_nothing(
    client: httpx2.AsyncClient, saved: None, name: str
) -> None:
    answer = await client.post(f"{RUN}?{name}=1", json={"inputs": {"name": "Eve"}})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": f"There is no query parameter '{name}' here; "
        "it takes async, max_credits, timeout, version",
        "code": "INVALID_QUERY",
        "field": name,
    }
    assert (await client.get("/api/executions")).json()["rows"] == []


async def test_who_may_not_call_is_told_so_first(client: httpx2.AsyncClient, saved: None) -> None:
    answer = await client.get("/api/workflows?x=1", headers={"x-api-key": "hr_live_none"})

    assert answer.status_code == 401


async def test_pages_take_whatever_links_add(browser: httpx2.AsyncClient) -> None:
    for path in ("/", "/docs", "/healthz", "/openapi.json"):
        assert (await browser.get(f"{path}?utm_source=mail")).status_code == 200, path


async def test_an_unknown_input_is_named_in_the_answer_and_in_the_record(
    client: httpx2.AsyncClient, saved: None, worker: FakeWorker
) -> None:
    answer = (await client.post(RUN, json=ASK)).json()

    execution = (await client.get(f"/api/executions/{answer['executionId']}")).json()
    [row] = (await client.get("/api/executions")).json()["rows"]
    assert answer["result"] == {"text": "Eve"}
    assert answer["warnings"] == execution["warnings"] == row["warnings"] == [WARNING]


async def test_an_unknown_input_is_named_when_nobody_waits(
    client: httpx2.AsyncClient, saved: None
) -> None:
    for query in ("?async=true", "?timeout=0"):
        assert (await client.post(RUN + query, json=ASK)).json()["warnings"] == [WARNING]


async def test_many_unknown_inputs_are_counted(client: httpx2.AsyncClient, saved: None) -> None:
    inputs = {"name": "Eve"} | {f"x{number}": number for number in range(30)}

    answer = (await client.post(f"{RUN}?async=true", json={"inputs": inputs})).json()

    assert len(answer["warnings"]) == 11
    assert answer["warnings"][-1] == "20 more inputs were ignored"


async def test_a_replayed_answer_has_its_warnings(
    client: httpx2.AsyncClient, saved: None, worker: FakeWorker
) -> None:
    for query in ("", "?async=true"):
        headers = {"idempotency-key": f"k{len(query)}"}
        first = await client.post(RUN + query, json=ASK, headers=headers)
        again = await client.post(RUN + query, json=ASK, headers=headers)

        assert again.headers["idempotent-replayed"] == "true"
        assert first.json()["warnings"] == [WARNING]
        assert again.content == first.content


async def test_a_run_without_unknown_inputs_has_no_warnings(
    client: httpx2.AsyncClient, saved: None, worker: FakeWorker
) -> None:
    answer = (await client.post(RUN, json={"inputs": {"name": "Eve"}})).json()

    execution = (await client.get(f"/api/executions/{answer['executionId']}")).json()
    assert "warnings" not in answer | execution


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"cache": True}, "cache must be false or left out: results of nodes are not kept yet"),
        ({"onError": "ask"}, "onError must be 'fail', 'continue' or 'fallback'"),
    ],
)
async def test_a_setting_that_does_nothing_yet_cannot_be_saved(
    client: httpx2.AsyncClient, setting: dict[str, Any], reason: str
) -> None:
    document = greeting()
    document["nodes"].append(node("idle", "textBox", text="x", **setting))

    answer = await client.post("/api/workflows", json=document)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    assert answer.json()["problems"] == [{"nodeId": "idle", "reason": reason}]


async def test_a_version_that_was_saved_with_such_a_setting_still_runs(
    client: httpx2.AsyncClient, store: Store, account: Account, worker: FakeWorker
) -> None:
    document = greeting()
    document["nodes"].append(node("idle", "textBox", text="x", cache=True))
    await store.workflows.create(account.id, parse_document(document), [])

    answer = await client.post(RUN, json={"inputs": {"name": "Eve"}})

    assert answer.status_code == 200
    assert answer.json()["result"] == {"text": "Eve"}
