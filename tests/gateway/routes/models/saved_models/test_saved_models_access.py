"""Permission to save manifests over HTTP, and the destinations of keys."""

import logging
from pathlib import Path

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.models.registry import use_folder
from engine.store import Account, Store
from tests.gateway.conftest import MakeClient
from tests.support.gateway.saved_manifests import LOUD, OWN, TEXT, calling, replace, row, save
from tests.support.manifests import manifest

# -- permission ------------------------------------------------------------------------------------


async def every_call(caller: httpx2.AsyncClient) -> list[httpx2.Response]:
    return [
        await save(caller, manifest("new")),
        await caller.get(OWN),
        await caller.get(f"{OWN}/versions"),
        await replace(caller, LOUD),
        await caller.delete(OWN),
    ]


async def test_a_browser_of_another_account_may_not(
    admins: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    await save(admins)

    for answer in await every_call(browser):
        assert answer.status_code == 403
        assert (answer.json()["code"], answer.json()["required"]) == ("CAPABILITY_DENIED", "*")
        assert "key" not in answer.json()["error"]
    assert (await admins.get(OWN)).json()["manifest"] == TEXT
    assert await row(admins, "new") is None


async def test_no_key_may_not_even_an_admins_that_may_do_everything(
    admins: httpx2.AsyncClient, admin: Account, store: Store, make_client: MakeClient
) -> None:
    await save(admins)
    _, secret = await store.api_keys.create(admin, name="all", capabilities=["*"])

    for answer in await every_call(await make_client(secret)):
        assert (answer.status_code, answer.json()["code"]) == (403, "SESSION_REQUIRED")
    assert (await admins.get(OWN)).json()["manifest"] == TEXT


async def test_no_page_of_another_site_may(admins: httpx2.AsyncClient) -> None:
    await save(admins)
    admins.headers["origin"] = "https://evil.example"

    answers = await every_call(admins)

    for answer in (answers[0], *answers[3:]):
        assert (answer.status_code, answer.json()["code"]) == (403, "CSRF_FAILED")


async def test_who_is_no_admin_any_more_may_not_with_the_next_request(
    admins: httpx2.AsyncClient, admin: Account, store: Store
) -> None:
    await save(admins)
    await store.accounts.create(email="other@example.com", tier=Tier.PRO, role=Role.ADMIN)

    await store.accounts.change(admin.id, role=Role.USER)

    assert (await admins.delete(OWN)).status_code == 403


async def test_every_change_is_in_the_log_with_who_and_what(
    admins: httpx2.AsyncClient, admin: Account, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway.routes.models.models"):
        await save(admins)
        await replace(admins, LOUD)
        await replace(admins, "wrong")
        await admins.delete(OWN)

    reported = [each for each in caplog.records if each.name == "gateway.routes.models.models"]
    assert [(each.msg, each.__dict__["version"]) for each in reported] == [
        ("model saved", 1),
        ("model saved", 2),
        ("model deleted", 2),
    ]
    assert {each.__dict__["account_id"] for each in reported} == {admin.id}
    assert {each.__dict__["model"] for each in reported} == {"own"}


# -- destinations of keys --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (calling("https://evil.example"), "no manifest on disk sends ANTHROPIC_API_KEY to"),
        (calling("http://api.anthropic.com"), "no manifest on disk sends ANTHROPIC_API_KEY to"),
        (calling("https://api.anthropic.com", "HEADRACE_SECRET_KEY"), "no manifest on disk sends"),
        (
            calling("https://api.anthropic.com", more='base_url_env = "ANTHROPIC_BASE_URL"\n'),
            "base_url_env may not be saved over HTTP",
        ),
        (
            calling("https://api.anthropic.com", more='headers = {Authorization = "sk-1"}\n'),
            "may hold a key",
        ),
    ],
)
async def test_a_key_is_sent_nowhere_by_what_comes_over_http(
    admins: httpx2.AsyncClient, text: str, reason: str
) -> None:
    await save(admins)

    for answer in (await save(admins, text), await replace(admins, text)):
        assert answer.status_code == 400
        (problem,) = answer.json()["problems"]
        assert reason in problem["reason"]
        assert "HEADRACE_MODELS_DIR" in problem["reason"]
        assert text.splitlines()[problem["line"] - 1].startswith(("api_key", "base_url", "head"))
    assert (await admins.get(OWN)).json()["version"] == 1


async def test_a_key_is_sent_where_a_manifest_that_ships_sends_it(
    admins: httpx2.AsyncClient,
) -> None:
    assert (await save(admins, calling("https://api.anthropic.com/v1"))).status_code == 201


async def test_a_key_is_sent_where_the_operators_folder_sends_it(
    admins: httpx2.AsyncClient, tmp_path: Path
) -> None:
    text = calling("https://ours.example.com", "OUR_KEY")
    refused = await save(admins, text)
    (tmp_path / "ours.toml").write_text(text.replace('"own"', '"ours"'))
    use_folder(str(tmp_path))

    assert refused.status_code == 400
    assert (await save(admins, text)).status_code == 201
