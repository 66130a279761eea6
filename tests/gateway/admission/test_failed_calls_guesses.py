"""Links with a signature or a token: after too many wrong guesses a right one is refused too.

Else guessing would cost an attacker nothing but requests.
"""

import secrets
from dataclasses import replace

import httpx2
import pytest

from engine.ids.tokens import make_token
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.accounts.sessions import LOGIN_PREFIX
from tests.gateway.conftest import MakeClient
from tests.support.gateway.documents import greeting
from tests.support.gateway.uploads import local, upload

LIMIT = 4
"""Failed calls a minute: the next one is allowed after 15 s, after these tests end."""
ELSEWHERE = {"x-forwarded-for": "203.0.113.5"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, failed_calls_per_minute=LIMIT, trusted_proxies="127.0.0.0/8")


@pytest.fixture(params=["signature of a medium", "token of a login", "slug of a workflow"])
async def paths(
    request: pytest.FixtureRequest, client: httpx2.AsyncClient, store: Store, account: Account
) -> tuple[str, str]:
    """Return a valid path, and one like it that is a wrong guess."""
    if request.param == "signature of a medium":
        right = local(await upload(client))
        return right, right[:-64] + secrets.token_hex(32)
    if request.param == "token of a login":
        path = "/login?token="
        login = await store.sessions.create_login(account.id)
        return path + login, path + make_token(LOGIN_PREFIX, 0)
    saved = await client.post("/api/workflows", json=greeting(publicPlayground=True))
    path = "/api/workflows/{}/public-schema"
    return path.format(saved.json()["slug"]), path.format("greetings")


async def test_right_links_are_not_charged_as_wrong_guesses(
    store: Store, account: Account, make_client: MakeClient
) -> None:
    nobody = await make_client()
    wrong = await nobody.get(f"/login?token={make_token(LOGIN_PREFIX, 0)}")

    right = []
    for _ in range(2 * LIMIT):
        nobody.cookies.clear()
        login = await store.sessions.create_login(account.id)
        right.append(await nobody.get("/login", params={"token": login}))

    assert wrong.status_code == 410
    assert {each.status_code for each in right} == {303}


@pytest.mark.A07
async def test_after_too_many_wrong_guesses_a_right_one_is_refused_as_well(
    paths: tuple[str, str], make_client: MakeClient
) -> None:
    right, wrong = paths
    nobody = await make_client()

    guesses = [(await nobody.get(wrong)).status_code for _ in range(LIMIT)]
    after = [(await nobody.get(path)).status_code for path in (wrong, right)]
    elsewhere = await nobody.get(right, headers=ELSEWHERE)

    assert set(guesses) <= {404, 410}
    assert after == [429, 429]
    assert elsewhere.status_code in (200, 303)
