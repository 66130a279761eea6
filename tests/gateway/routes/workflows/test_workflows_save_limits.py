"""The rate limit on saving workflows, over HTTP."""

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from engine.settings import Settings
from engine.store import Account, Store
from tests.gateway.conftest import MakeBrowser
from tests.support.gateway.documents import greeting

pytestmark = pytest.mark.usefixtures("young_window")

SAVES = 4
PATH = "/api/workflows/greeting"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\nsaves_per_minute = {SAVES}\n")
    return replace(settings, tiers_file=str(path))


async def test_a_save_too_many_is_429_and_writes_nothing(
    client: httpx2.AsyncClient, store: Store
) -> None:
    answers = [await client.post("/api/workflows", json=greeting())]
    answers += [await client.put(PATH, json=greeting("New")) for _ in range(SAVES - 1)]

    late = [
        await client.put(PATH, json={"name": "Later"}),
        await client.post("/api/workflows", json=greeting("Other")),
    ]

    assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["3", "2", "1", "0"]
    for answer in late:
        body = answer.json()
        assert (answer.status_code, body["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert (body["tier"], body["limit"]) == ("pro", SAVES)
        assert answer.headers["retry-after"] == str(body["retryAfter"])
        assert answer.headers["x-ratelimit-limit"] == str(SAVES)
    (kept,) = await store.workflow_list.own((await store.workflows.get("greeting")).account_id)
    assert (kept.version, kept.name) == (SAVES, "New")


async def test_all_keys_and_browsers_of_an_account_share_the_count(
    client: httpx2.AsyncClient, make_browser: MakeBrowser, account: Account
) -> None:
    browser = await make_browser(account)
    for caller in (client, browser) * (SAVES // 2):
        assert (await caller.post("/api/workflows", json=greeting())).status_code == 201

    for caller in (client, browser):
        assert (await caller.post("/api/workflows", json=greeting())).status_code == 429
