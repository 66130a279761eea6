"""Authentication and authorization of every route."""

import ast
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Route

from engine.access.capabilities import PRESETS, Role, Tier
from engine.access.tiers import load
from engine.errors import CapabilityAboveCeiling
from engine.ids import api_keys
from engine.settings import Settings
from engine.store import Account, ApiKey, Principal, Store
from engine.store.redis.scripts import SCRIPTS
from gateway.app import routes
from gateway.auth.guard import Public
from gateway.auth.principal import check_capability
from gateway.auth.resource import Resource
from tests.gateway.conftest import MakeClient
from tests.support.eventually import eventually
from tests.support.gateway.documents import greeting

CONTRACT = Path(__file__).parents[2] / "contract"
UNAUTHORIZED = b'{"error":"Unauthorized"}'
IDS = {name for route in routes(Settings()) for name in vars(route).get("param_convertors", ())}
PATH = dict.fromkeys(IDS, "0") | {
    "slug": "greeting",
    "internal_name": "echo",
    "key_id": "key_0",
    "execution_id": "00000000-0000-4000-8000-000000000000",
    "asset_id": "0" * 24,
    "delivery_id": "00000000-0000-4000-8000-000000000000",
    "version": "1",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


@dataclass(frozen=True)
class Call:
    """One way to call one route."""

    method: str
    path: str
    requirement: str
    is_guarded: bool


def calls() -> list[Call]:
    found = []
    for route in routes(Settings()):
        assert isinstance(route, Route)
        assert isinstance(route.endpoint, Resource)
        for method, endpoint in route.endpoint.endpoints.items():
            guarded = not isinstance(endpoint, Public)
            found.append(Call(method, route.path, endpoint.requirement, guarded))
    return found


GUARDED = [call for call in calls() if call.is_guarded]
GUARDED_PATHS = sorted({call.path for call in GUARDED})


def malformed_keys() -> dict[str, str]:
    good = api_keys.make_secret("acct")
    return {
        "empty": "",
        "a bearer": f"Bearer {good}",
        "unknown": good,
        "wrong checksum": good[:-1] + ("a" if good[-1] != "a" else "b"),
        "one character changed": good[:10] + ("a" if good[10] != "a" else "b") + good[11:],
        "wrong prefix": "hr_test_" + good[8:],
        "swapped case": good.swapcase(),
        "very long": good * 150,
        "not ASCII": good[:-1] + "é",
        "spaces inside": good[:20] + " " + good[20:],
    }


def reviewed_routes() -> dict[str, str]:
    """Return the routes in the tables of the contract tests, with their requirements."""
    return {
        route: requirement
        for page in CONTRACT.rglob("test_*.py")
        for node in ast.parse(page.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ROUTES"
        for route, requirement in ast.literal_eval(node.value).items()
    }


def test_a_contract_test_names_each_route_and_its_requirement() -> None:
    assert {f"{call.method} {call.path}": call.requirement for call in calls()} == reviewed_routes()


@pytest.mark.parametrize("path", GUARDED_PATHS)
async def test_no_method_of_a_guarded_path_is_answered_without_a_key(
    make_client: MakeClient, path: str
) -> None:
    client = await make_client()

    for method in METHODS:
        answer = await client.request(method, path.format(**PATH))

        assert answer.status_code == 401, method
        assert answer.content == (b"" if method == "HEAD" else UNAUTHORIZED)


@pytest.mark.parametrize("key", list(malformed_keys().values()), ids=list(malformed_keys()))
async def test_a_key_that_is_not_one_gets_the_same_answer_as_none(
    make_client: MakeClient, key: str
) -> None:
    client = await make_client()

    for call in GUARDED:
        headers = {"x-api-key": key.encode()}
        answer = await client.request(call.method, call.path.format(**PATH), headers=headers)

        assert (answer.status_code, answer.content) == (401, UNAUTHORIZED)


async def test_a_malformed_key_costs_no_command_of_the_store(
    make_client: MakeClient, store: Store, monitored: bytearray
) -> None:
    client = await make_client()

    for key in malformed_keys().values():
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


def of(requirement: str) -> set[str]:
    """Return the alternatives of a requirement, any of which suffices."""
    return {requirement, *requirement.split(" or ")}


@pytest.mark.parametrize("preset", sorted(PRESETS))
async def test_a_key_may_do_what_it_holds_and_nothing_else(
    saved: httpx2.AsyncClient, make_client: MakeClient, store: Store, preset: str
) -> None:
    client = await make_client(await key_with(store, *PRESETS[preset]))
    allowed = {*PRESETS[preset], "any key or session", "execution:read", "execution:cancel"}

    for call in GUARDED:
        path = call.path.format(**PATH)
        answer = await client.request(call.method, path, json={}, params={"async": "true"})

        missing = [each for each in call.requirement.split(" and ") if not allowed & of(each)]
        if not missing:
            assert answer.status_code not in (401, 403), call
        else:
            refusal = ("CAPABILITY_DENIED", missing[0].split(" or ")[0])
            if call.requirement.startswith("session"):
                refusal = ("SESSION_REQUIRED", None)
            assert answer.status_code == 403, call
            assert (answer.json()["code"], answer.json().get("required")) == refusal


async def test_an_admin_with_everything_runs_nothing_of_others(
    saved: httpx2.AsyncClient, make_client: MakeClient, store: Store
) -> None:
    admin = await store.accounts.create(email="root@e.com", tier=Tier.FREE, role=Role.ADMIN)
    _, secret = await store.api_keys.create(admin, name="n", capabilities=["*"])
    client = await make_client(secret)

    run = await client.post("/api/workflows/greeting/run", json={"inputs": {"name": "Eve"}})
    deletion = await client.delete("/api/workflows/greeting")

    assert (run.status_code, deletion.status_code) == (404, 404)


async def test_a_key_is_never_shown_again_nor_logged(
    make_client: MakeClient, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    account = await store.accounts.create(email="a@example.com", tier=Tier.PRO)
    known, secret = await store.api_keys.create(account, name="n", capabilities=["workflow:run"])
    observed = repr(known)
    for key in (secret, api_keys.make_secret(account.id), secret[:-1] + "!"):
        client = await make_client(key)
        for call in calls():
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


def test_a_capability_above_the_tier_of_today_is_refused_at_use() -> None:
    sunk = principal(Tier.PRO, Role.USER, "model:run", "workflow:run")

    check_capability(sunk, "workflow:run")
    with pytest.raises(CapabilityAboveCeiling):
        check_capability(sunk, "model:run")


def test_everything_is_for_admins_even_at_use() -> None:
    check_capability(principal(Tier.PRO, Role.ADMIN, "*"), "workflow:write")

    with pytest.raises(CapabilityAboveCeiling):
        check_capability(principal(Tier.PRO, Role.USER, "*"), "workflow:write")
