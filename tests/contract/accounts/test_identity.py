"""`GET /api/me`: limits of the account, how much of each is used, and what its keys may hold."""

import time
from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller, never
from tests.support.contract.shapes import assert_fits
from tests.support.gateway.documents import greeting
from tests.support.media import files

USE = {"limit": int, "used": int}
LIMITS = {
    "runsPerMinute": {"limit": int, "remaining": int, "reset": int},
    "active": USE,
    "media": USE,
}


def me(browser: Caller) -> Any:
    return browser.get("/api/me").json()


def test_runs_of_the_window_are_counted_as_their_answers_say(
    administration: Administration,
) -> None:
    browser = administration.browser(administration.account("pro"))
    slug = browser.save(greeting())
    fresh = me(browser)["limits"]["runsPerMinute"]

    while True:  # all in one window
        answer = browser.run(slug, {"name": "Eve"})
        shown = me(browser)["limits"]
        if str(shown["runsPerMinute"]["reset"]) == answer.headers["x-ratelimit-reset"]:
            break
    browser.clean()

    assert_fits(shown, LIMITS)
    assert (fresh["limit"], fresh["remaining"]) == (100, 100)
    assert shown["runsPerMinute"]["remaining"] == int(answer.headers["x-ratelimit-remaining"])
    assert 0 <= shown["runsPerMinute"]["reset"] - time.time() + 8 <= 76


def test_executions_under_way_are_counted_until_they_end(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro"))
    execution_id = browser.start(browser.save(never()))

    under_way = me(browser)["limits"]["active"]
    browser.post(f"/api/executions/{execution_id}/cancel")
    browser.ended(execution_id)
    after = me(browser)["limits"]["active"]
    browser.clean()

    assert (under_way, after) == ({"limit": 100, "used": 1}, {"limit": 100, "used": 0})


def test_media_are_counted_in_bytes(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro"))
    data = files.png()

    asset = browser.request("POST", "/api/assets", files={"file": ("a.png", data, "image/png")})
    stored = me(browser)["limits"]["media"]
    browser.delete(f"/api/assets/{asset.json()['id']}")

    assert stored == {"limit": 20 * 2**30, "used": len(data)}
    assert me(browser)["limits"]["media"]["used"] == 0


@pytest.mark.parametrize(("tier", "role"), [("enterprise", "user"), ("free", "admin")])
def test_what_has_no_limit_is_null(administration: Administration, tier: str, role: str) -> None:
    browser = administration.browser(administration.account(tier, role=role))

    assert me(browser)["limits"] == dict.fromkeys(LIMITS)


@pytest.mark.parametrize(
    ("tier", "held", "refused"),
    [
        ("free", [], ["workflow:run", "execution:read"]),
        ("creator", [], ["workflow:run", "execution:read"]),
        ("pro", ["workflow:*", "workflow:run", "webhook:receive", "execution:read"], ["model:run"]),
        ("business", ["workflow:*", "model:*", "agent:invoke"], ["*"]),
        ("enterprise", ["workflow:*", "model:*", "agent:invoke"], ["*"]),
    ],
)
def test_the_ceiling_is_of_the_tier(
    administration: Administration, tier: str, held: list[str], refused: list[str]
) -> None:
    ceiling = me(administration.browser(administration.account(tier)))["ceiling"]

    assert set(held) <= set(ceiling)
    assert not set(refused) & set(ceiling)


@pytest.mark.parametrize(("tier", "role"), [("pro", "user"), ("free", "admin")])
def test_a_key_may_have_each_capability_of_the_ceiling(
    administration: Administration, tier: str, role: str
) -> None:
    browser = administration.browser(administration.account(tier, role=role))
    ceiling = me(browser)["ceiling"]

    made = browser.post("/api/api-keys", {"name": "All", "capabilities": ceiling})

    assert (made.status_code, made.json()["capabilities"]) == (201, ceiling)
    assert ("*" in ceiling) is (role == "admin")
