"""Authentication and authorization of every route."""

import ast
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.errors import CapabilityAboveCeiling
from engine.ids import api_keys
from engine.store import Account, ApiKey, Principal, Store
from engine.store.redis.scripts import SCRIPTS
from gateway.auth.principal import check_capability
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting
from tests.support.gateway.matrix.calls import CALLS, PATH
from tests.support.gateway.matrix.keys import MALFORMED, malformed_key

CONTRACT = Path(__file__).parents[2] / "contract"


def reviewed_routes() -> dict[str, str]:
    """Return the routes in the tables of the contract tests, with their requirements."""
    return {
        route: requirement
        for page in CONTRACT.rglob("test_*.py")
        for node in ast.parse(page.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROUTES"
        for route, requirement in ast.literal_eval(node.value).items()
    }


@pytest.mark.A15
def test_a_contract_test_names_each_route_and_its_requirement() -> None:
    assert {f"{call.method} {call.path}": call.requirement for call in CALLS} == reviewed_routes()


@pytest.mark.A03
async def test_a_malformed_key_costs_no_command_of_the_store(
    make_client: MakeClient, store: Store, monitored: bytearray
) -> None:
    client = await make_client()

    for name in MALFORMED:
        key = malformed_key(name)
        if not api_keys.is_well_formed(key):
            await client.get("/api/whoami", headers={"x-api-key": key.encode()})
    malformed = await lookups_of_keys(store, monitored)
    await client.get("/api/whoami", headers={"x-api-key": api_keys.make_secret("acct")})

    assert malformed == 0
    assert await lookups_of_keys(store, monitored) > 0


async def lookups_of_keys(store: Store, monitored: bytearray) -> int:
    """Return the number of lookups of keys so far; other commands are not counted."""
    mark = secrets.token_hex()
    await store.client.send("ECHO", mark)
    await eventually(lambda: is_seen(monitored, mark))
    names = ("authorize_key", "count_key_call", "accept_execution")
    return sum(monitored.count(SCRIPTS[name].sha.encode()) for name in names)


async def is_seen(commands: bytearray, text: str) -> bool:
    return text.encode() in commands


@pytest.fixture
async def saved(client: httpx2.AsyncClient) -> AsyncIterator[httpx2.AsyncClient]:
    await client.post("/api/workflows", json=greeting())
    await client.post("/api/workflows", json=greeting("Other"))
    yield client


async def key_with(store: Store, *capabilities: str, email: str = "ada@example.com") -> str:
    [account] = [each for each in await store.accounts.list() if each.email == email]
    _, secret = await store.api_keys.create(account, name="narrow", capabilities=capabilities)
    return secret


async def test_an_admin_with_everything_runs_nothing_of_others(
    saved: httpx2.AsyncClient, make_client: MakeClient, store: Store
) -> None:
    admin = await store.accounts.create(email="root@e.com", tier=Tier.FREE, role=Role.ADMIN)
    _, secret = await store.api_keys.create(admin, name="n", capabilities=["*"])
    client = await make_client(secret)

    run = await client.post("/api/workflows/greeting/run", json={"inputs": {"name": "Eve"}})
    deletion = await client.delete("/api/workflows/greeting")

    assert (run.status_code, deletion.status_code) == (404, 404)


@pytest.mark.A08
async def test_a_key_is_never_shown_again_nor_logged(
    make_client: MakeClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    known, secret = await store.api_keys.create(account, name="n", capabilities=["workflow:run"])
    observed = repr(known)
    for key in (secret, api_keys.make_secret(account.id), secret[:-1] + "!"):
        client = await make_client(key)
        for call in CALLS:
            answer = await client.request(call.method, call.path.format(**PATH), json={"a": key})
            observed += answer.text.replace(f'"{key}"', "") + str(answer.headers)
        await client.aclose()

    assert secret[8:] not in observed
    assert secret[8:] not in caplog.text


def principal(tier: Tier, role: Role, *capabilities: str) -> Principal:
    account = Account(id="a", email="a@e.com", tier=tier, role=role, approved=True, created_at=0)
    key = ApiKey(
        id="k",
        account_id="a",
        name="n",
        prefix="",
        last4="",
        capabilities=capabilities,
        created_at=0,
    )
    return Principal(account=account, terms=load().terms(tier, role), key=key)


@pytest.mark.A73
def test_a_capability_above_the_tier_of_today_is_refused_at_use() -> None:
    sunk = principal(Tier.PRO, Role.USER, "model:run", "workflow:run")

    check_capability(sunk, "workflow:run")
    with pytest.raises(CapabilityAboveCeiling):
        check_capability(sunk, "model:run")


def test_everything_is_for_admins_even_at_use() -> None:
    check_capability(principal(Tier.PRO, Role.ADMIN, "*"), "workflow:write")

    with pytest.raises(CapabilityAboveCeiling):
        check_capability(principal(Tier.PRO, Role.USER, "*"), "workflow:write")
