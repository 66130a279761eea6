"""Invalid amounts, limits and counts are refused; nothing runs or is reserved for them."""

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.factories import Graph

NO_NUMBERS = [
    *("", " ", "-1", "-0", "+1", "1.0", "1.5", "1e3", "1e400", "NaN", "inf", "-inf", "Infinity"),
    *("0x10", "0b1", "1_000", "1,000", " 1", "1 ", "1\n", "1\x00", "\u0661", "\uff11", "\u00b2"),
    *("true", "null", "[]", '"1"', "one", "9" * 400, "-" + "9" * 400, str(2**64), "1;2"),
]
RUNS = ("/api/models/echo/run", "/api/workflows/charged/run")
PRICE = 12
"""Cost of one call of `echo`, 0.010 USD, for a Business account, whose markup is 1.2."""
ASK = {"inputs": {"prompt": "Hello"}}


@pytest.fixture
def account_tier() -> Tier:
    """Return a tier whose keys may run models."""
    return Tier.BUSINESS


@pytest.fixture
def key_capabilities() -> list[str]:
    return ["workflow:*", "model:run"]


@pytest.fixture(autouse=True)
async def charged(client: httpx2.AsyncClient) -> None:
    """Return a workflow with one charged node."""
    graph = Graph().node("model", "customModel", model="echo", prompt="Hello")
    graph.node("out", "responseOutput").wire("model.text-out > out.result-in")
    assert (await client.post("/api/workflows", json=graph.body("Charged"))).status_code == 201


async def reserved(store: Store, account: Account) -> int:
    """Return the reserved credits."""
    wallet = await store.wallets.get(account.id, store.tiers.terms(Tier.BUSINESS, Role.USER))
    assert wallet.balance + wallet.reserved == 11_329
    return wallet.reserved


@pytest.mark.A31
@pytest.mark.parametrize("path", RUNS)
async def test_a_most_that_is_no_number_of_credits_is_refused_and_nothing_runs(
    path: str, client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    for value in (*NO_NUMBERS, str(2**53)):
        answer = await client.post(path, params={"async": "true", "max_credits": value}, json=ASK)

        body = answer.json()
        assert answer.status_code == 400, value
        assert (body["code"], body["field"]) == ("INVALID_QUERY", "max_credits")
    assert await reserved(store, account) == 0
    assert await store.client.send("ZCARD", keyspace.account_executions(account.id)) == 0


@pytest.mark.parametrize("path", RUNS)
async def test_a_most_is_compared_to_the_estimate_exactly(
    path: str, client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    for value in ("0", "11", "0011"):
        answer = await client.post(path, params={"async": "true", "max_credits": value}, json=ASK)
        body = answer.json()
        assert answer.status_code == 402, value
        assert (body["code"], body["estimate"]) == ("MAX_CREDITS_EXCEEDED", PRICE)
    assert await reserved(store, account) == 0

    for number, value in enumerate(("12", "012", str(2**53 - 1)), 1):
        answer = await client.post(path, params={"async": "true", "max_credits": value}, json=ASK)
        assert answer.status_code == 202, value
        assert await reserved(store, account) == number * PRICE


@pytest.mark.A31
@pytest.mark.parametrize(
    ("path", "field"),
    [("/api/usage", "limit"), ("/api/usage", "offset"), ("/api/executions", "limit")],
)
async def test_a_count_that_is_none_is_refused(
    path: str, field: str, client: httpx2.AsyncClient
) -> None:
    for value in [*NO_NUMBERS, *(["0", "501"] if field == "limit" else [])]:
        answer = await client.get(path, params={field: value})

        body = answer.json()
        assert answer.status_code == 400, value
        assert (body["code"], body["field"]) == ("INVALID_QUERY", field)


@pytest.mark.A31
@pytest.mark.A14
async def test_a_price_of_the_callers_own_changes_nothing(
    client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    names = ("credits", "creditsCost", "cost", "price", "amount", "maxCredits", "markup", "terms")
    for number, name in enumerate(names, 1):
        for value in (0, -1_000, 1e308, "0"):
            payload = {"inputs": {**ASK["inputs"], name: value}, name: value}
            answer = await client.post(RUNS[0], params={"async": "true"}, json=payload)
            assert answer.status_code == 202
        assert await reserved(store, account) == number * 4 * PRICE
