"""Usage over HTTP: rows, filters and pages."""

from typing import Any

import httpx2
import pytest

from engine.store import Account, Store
from engine.store.accounts import usage
from engine.store.redis import keyspace
from tests.support.gateway.documents import greeting
from tests.support.gateway.fake_worker import FakeWorker, NodeFails

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


@pytest.fixture
async def saved(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())


async def charge(store: Store, account: Account, execution_id: str, **fields: str | int) -> None:
    """Add the cost of models to an execution's record."""
    words = [word for pair in fields.items() for word in pair]
    await store.client.send("HSET", keyspace.execution(account.id, execution_id), *words)


async def test_an_account_that_ran_nothing_has_an_empty_page(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/usage")

    assert answer.status_code == 200
    assert answer.json() == {"rows": [], "page": 1, "pageSize": 50, "total": 0}


async def test_a_row_tells_who_ran_what_and_what_it_cost(
    client: httpx2.AsyncClient, worker: FakeWorker, store: Store, account: Account, saved: None
) -> None:
    ran = (await client.post(RUN, json=ASK)).json()
    await charge(
        *(store, account, ran["executionId"]),
        models="echo,other",
        usd=12_500,
        spent=17,
        markup="1.3",
    )

    [row] = (await client.get("/api/usage")).json()["rows"]

    execution = (await client.get(f"/api/executions/{ran['executionId']}")).json()
    assert row == {
        "id": ran["executionId"],
        "userId": account.id,
        "workflowSlug": "greeting",
        "modelIds": ["echo", "other"],
        "status": "completed",
        "source": "api-workflow",
        "cost": 0.0125,
        "userCost": 0.01625,
        "creditsCost": 17,
        "durationMs": execution["durationMs"],
        "errorCode": None,
        "requestId": ran["executionId"],
        "createdAt": execution["createdAt"],
    }


@pytest.mark.parametrize(
    ("usd", "markup", "reported"),
    [
        (0, "1.3", '"cost":0,"userCost":0,'),
        (10_000_000, "1.30", '"cost":10,"userCost":13,'),
        (1, "1.5", '"cost":0.000001,"userCost":0.0000015,'),
        (9_007_199_254_740_991, "1", '"cost":9007199254.740991,"userCost":9007199254.740991,'),
    ],
)
async def test_costs_are_exact_numbers(
    client: httpx2.AsyncClient,
    store: Store,
    account: Account,
    saved: None,
    usd: int,
    markup: str,
    reported: str,
) -> None:
    ran = (await client.post(RUN, params={"async": "true"}, json=ASK)).json()
    await charge(store, account, ran["executionId"], models="echo", usd=usd, markup=markup)

    assert reported in (await client.get("/api/usage")).text


async def test_a_run_of_a_model_has_no_slug(
    client: httpx2.AsyncClient, store: Store, account: Account, saved: None
) -> None:
    ran = (await client.post(RUN, params={"async": "true"}, json=ASK)).json()
    await charge(store, account, ran["executionId"], slug="", models="echo", source="api-slim")

    [row] = (await client.get("/api/usage")).json()["rows"]

    assert (row["workflowSlug"], row["source"], row["status"]) == (None, "api-slim", "processing")
    assert row["durationMs"] is None


async def test_a_failed_run_shows_its_code(
    client: httpx2.AsyncClient, worker: FakeWorker, saved: None
) -> None:
    worker.outcome = lambda _: NodeFails("text", "no such thing")
    await client.post(RUN, json=ASK)

    [row] = (await client.get("/api/usage?status=failed")).json()["rows"]

    assert (row["status"], row["errorCode"]) == ("failed", "EXECUTION_FAILED")
    assert (await client.get("/api/usage?status=completed")).json()["total"] == 0


async def test_filters_narrow_the_rows_and_the_total(
    client: httpx2.AsyncClient, store: Store, account: Account, saved: None
) -> None:
    await client.post("/api/workflows", json=greeting("Other"))
    answers = [
        await client.post(f"/api/workflows/{slug}/run?async=true", json=ASK)
        for slug in ("greeting", "other", "other")
    ]
    _, other, last = (each.json()["executionId"] for each in answers)
    await charge(store, account, last, models="echo")

    async def found(query: str) -> tuple[int, list[Any]]:
        body = (await client.get(f"/api/usage?{query}")).json()
        return body["total"], [row["id"] for row in body["rows"]]

    assert await found("modelId=echo") == (1, [last])
    assert await found("modelId=other") == (0, [])
    assert (await found("workflowSlug=other"))[0] == 2
    assert (await found("workflowSlug=greeting&modelId=echo"))[0] == 0
    total, page = await found("workflowSlug=other&status=processing&limit=1")
    assert (total, len(page)) == (2, 1)
    assert page[0] in (other, last)  # ids order executions of one millisecond


async def test_pages_are_numbered_by_their_offset(client: httpx2.AsyncClient, saved: None) -> None:
    ids = [
        (await client.post(RUN, params={"async": "true"}, json=ASK)).json()["executionId"]
        for _ in range(5)
    ]

    pages = [
        (await client.get(f"/api/usage?limit=2&offset={each}")).json() for each in (0, 2, 4, 6)
    ]

    rows = [[(row["createdAt"], row["id"]) for row in page["rows"]] for page in pages]
    newest = sorted(sum(rows, []), reverse=True)  # those of one millisecond are ordered by id
    assert {each for _, each in newest} == set(ids)
    assert rows == [newest[:2], newest[2:4], newest[4:], []]
    assert [page["page"] for page in pages] == [1, 2, 3, 4]
    assert {(page["pageSize"], page["total"]) for page in pages} == {(2, 5)}


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("offset=-1", "offset")]
    + [("offset=1.5", "offset"), (f"offset={2**53}", "offset"), ("status=done", "status")]
    + [("modelId=", "modelId"), ("modelId=a%20b", "modelId"), ("modelId=a,b", "modelId")]
    + [("workflowSlug=A!", "workflowSlug"), ("status=failed&status=failed", "status")],
)
async def test_what_does_not_parse_is_refused_by_name(
    client: httpx2.AsyncClient, query: str, field: str
) -> None:
    answer = await client.get(f"/api/usage?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == field


async def test_others_see_nothing_of_it(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient, saved: None
) -> None:
    await client.post(RUN, params={"async": "true"}, json=ASK)

    for query in ("", "?workflowSlug=greeting"):
        assert (await strangers_client.get(f"/api/usage{query}")).json()["total"] == 0


async def test_browsers_and_narrow_keys_see_the_whole_account(
    client: httpx2.AsyncClient,
    browser: httpx2.AsyncClient,
    make_client: Any,
    store: Store,
    account: Account,
    saved: None,
) -> None:
    await client.post(RUN, params={"async": "true"}, json=ASK)
    _, secret = await store.api_keys.create(account, name="n", capabilities=["webhook:receive"])

    for other in (browser, await make_client(secret)):
        assert (await other.get("/api/usage")).json()["total"] == 1


async def test_a_bounded_request_says_so_and_continues_with_its_cursor(
    client: httpx2.AsyncClient, saved: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "EXAMINED_AT_MOST", 2)
    ids = [
        (await client.post(RUN, params={"async": "true"}, json=ASK)).json()["executionId"]
        for _ in range(5)
    ]
    query: dict[str, str | int] = {"workflowSlug": "greeting", "limit": 10}

    first = (await client.get("/api/usage", params=query)).json()
    pages = [first]
    while "nextCursor" in pages[-1]:
        cursor = pages[-1]["nextCursor"]
        pages.append((await client.get("/api/usage", params={**query, "cursor": cursor})).json())

    assert (first["total"], first["totalIsExact"], len(first["rows"])) == (2, False, 2)
    assert (pages[-1]["total"], "totalIsExact" in pages[-1]) == (5, False)
    assert {row["id"] for page in pages for row in page["rows"]} == set(ids)


async def test_a_cursor_takes_the_place_of_the_offset(client: httpx2.AsyncClient) -> None:
    both = await client.get("/api/usage?cursor=x&offset=1")
    wrong = await client.get("/api/usage?cursor=x")

    assert (both.status_code, both.json()["field"]) == (400, "offset")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "cursor")
