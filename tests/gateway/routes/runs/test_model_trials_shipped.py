"""Trials that shipped models offer to Free accounts."""

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from engine.access.capabilities import Tier
from engine.models.registry import shipped_models
from engine.settings import Settings
from engine.store import Store
from tests.gateway.conftest import MakeBrowser

UNLIMITED = '[free]\nruns_per_minute = "unlimited"\nexecutions_at_once = "unlimited"\n'
TRIED = {model.internal_name: model for model in shipped_models() if model.trial is not None}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings without rate limits for Free accounts, so that the trial alone stops them."""
    file = tmp_path / "tiers.toml"
    file.write_text(UNLIMITED)
    return replace(settings, tiers_file=str(file))


async def start(browser: httpx2.AsyncClient, name: str) -> httpx2.Response:
    return await browser.post(
        f"/api/models/{name}/run?async=true", json={"inputs": {"prompt": "A tree"}}
    )


def test_a_model_that_runs_here_and_a_paid_one_offer_trials() -> None:
    assert set(TRIED) == {"local-text", "gpt-image"}


@pytest.mark.parametrize("name", TRIED)
async def test_a_free_account_is_refused_once_its_grant_is_spent(
    store: Store, make_browser: MakeBrowser, name: str
) -> None:
    account = await store.accounts.create(email="free@example.com", tier=Tier.FREE)
    browser = await make_browser(account)
    trial = TRIED[name].trial
    assert trial is not None and trial.runs is not None

    given = [await start(browser, name) for _ in range(trial.runs)]
    refused = await start(browser, name)

    assert {answer.status_code for answer in given} == {202}
    assert (refused.status_code, refused.json()["code"]) == (402, "grant_exhausted")
    assert refused.json()["model"] == name
    assert (await browser.get("/api/me")).json()["credits"]["balance"] == 250


@pytest.mark.parametrize("name", TRIED)
async def test_other_tiers_are_not_on_trial(
    store: Store, make_browser: MakeBrowser, name: str
) -> None:
    account = await store.accounts.create(email="pro@example.com", tier=Tier.PRO)
    browser = await make_browser(account)
    trial = TRIED[name].trial
    assert trial is not None and trial.runs is not None

    answers = [await start(browser, name) for _ in range(trial.runs + 1)]

    assert {answer.status_code for answer in answers} == {202}
