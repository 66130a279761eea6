import time

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import greeting

REFUSED = {
    "error": "Rate limit exceeded",
    "code": "RATE_LIMIT_EXCEEDED",
    "tier": "pro",
    "limit": 60,
}


def save(caller: Caller, slug: str = "") -> httpx2.Response:
    """Save without waiting for the next window after a refusal."""
    if slug:
        return caller.client.put(f"/api/workflows/{slug}", json={"tags": ["a"]})
    return caller.client.post("/api/workflows", json=greeting())


def saves_in_one_window(administration: Administration) -> list[httpx2.Response]:
    """Make 65 saves of an account, a workflow and others, within one window."""
    while True:
        caller = administration.caller("pro")
        slug = save(caller).json()["slug"]
        answers = [save(caller, slug if number % 4 else "") for number in range(64)]
        if len({answer.headers["x-ratelimit-reset"] for answer in answers}) == 1:
            return answers


@pytest.mark.timeout(180)
def test_pro_saves_60_times_in_a_window(administration: Administration) -> None:
    answers = saves_in_one_window(administration)

    assert [each.status_code for each in answers[59:]] == [429] * 5
    assert {each.status_code for each in answers[:59]} == {200, 201}
    wait = int(answers[-1].headers["retry-after"])
    assert answers[-1].json() == REFUSED | {"retryAfter": wait}
    assert 1 <= wait <= 60
    assert int(answers[-1].headers["x-ratelimit-reset"]) <= time.time() + wait + 8


def test_business_saves_600_times_in_a_window(administration: Administration) -> None:
    answer = save(administration.caller("business"))

    assert answer.headers["x-ratelimit-limit"] == "600"


@pytest.mark.parametrize(("tier", "role"), [("enterprise", "user"), ("free", "admin")])
def test_enterprise_and_admins_save_without_a_limit(
    administration: Administration, tier: str, role: str
) -> None:
    browser = administration.browser(administration.account(tier, role=role))

    answer = browser.create(greeting())
    browser.clean()

    assert answer.status_code == 201
    assert not [name for name in answer.headers if name.startswith(("x-ratelimit", "ratelimit"))]


def test_reading_running_and_deleting_do_not_count_as_saves(caller: Caller) -> None:
    slug = caller.save(greeting())
    before = save(caller, slug)

    caller.get(f"/api/workflows/{slug}")
    caller.run(slug, {"name": "Ada"})
    caller.delete(f"/api/workflows/{caller.save(greeting())}")
    after = save(caller, slug)

    left = [int(each.headers["x-ratelimit-remaining"]) for each in (before, after)]
    is_one_window = before.headers["x-ratelimit-reset"] == after.headers["x-ratelimit-reset"]
    assert not is_one_window or left[0] - left[1] == 2
