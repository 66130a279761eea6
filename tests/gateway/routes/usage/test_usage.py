"""Usage over HTTP: rows, filters and pages."""

import httpx2
import pytest

from engine.store import Account, Store
from engine.store.accounts import usage
from engine.store.redis import keyspace
from tests.support.gateway.documents import greeting

RUN = "/api/workflows/greeting/run"
ASK = {"inputs": {"name": "Eve"}}


@pytest.fixture
async def saved(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())


async def charge(store: Store, account: Account, execution_id: str, **fields: str | int) -> None:
    """Add the cost of models to an execution's record."""
    words = [word for pair in fields.items() for word in pair]
    await store.client.send("HSET", keyspace.execution(account.id, execution_id), *words)


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
