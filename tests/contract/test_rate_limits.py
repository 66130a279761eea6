import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import greeting

RUN = "/api/workflows/no-such/run"
NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
MARGIN = 8


def call(caller: Caller, path: str = RUN, **options: Any) -> httpx2.Response:
    given: dict[str, Any] = {"json": {"inputs": {}}} | options
    return caller.client.post(path, **given)


def in_one_window(act: Callable[[], list[httpx2.Response]]) -> list[httpx2.Response]:
    """Return the answers of calls within one window."""
    while True:
        answers = act()
        if len({answer.headers["x-ratelimit-reset"] for answer in answers}) == 1:
            return answers


def test_pro_has_100_calls_in_a_window_over_all_its_keys(administration: Administration) -> None:
    def act() -> list[httpx2.Response]:
        account = administration.account("pro")
        callers = [administration.with_key(administration.key(account)) for _ in range(2)]
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda i: call(callers[i % 2]), range(105)))

    answers = in_one_window(act)

    refused = [answer for answer in answers if answer.status_code == 429]
    passed = [answer for answer in answers if answer.status_code == 404]
    assert (len(passed), len(refused)) == (100, 5)
    left = sorted(int(answer.headers["x-ratelimit-remaining"]) for answer in passed)
    assert left == list(range(100))
    for answer in answers:
        assert answer.headers["x-ratelimit-limit"] == "100"
        assert 0 < int(answer.headers["x-ratelimit-reset"]) - time.time() + 1 <= 61 + MARGIN
        assert {"ratelimit", "ratelimit-policy"} <= answer.headers.keys()


def test_a_call_too_many_is_told_when_to_come_again(administration: Administration) -> None:
    caller = administration.caller("pro")

    answers = in_one_window(lambda: [call(caller) for _ in range(101)])
    answer = answers[-1]

    wait = int(answer.headers["retry-after"])
    reset = int(answer.headers["x-ratelimit-reset"])
    assert answer.status_code == 429
    assert answer.json() == {
        "error": "Rate limit exceeded",
        "code": "RATE_LIMIT_EXCEEDED",
        "tier": "pro",
        "limit": 100,
        "retryAfter": wait,
    }
    assert 1 <= wait <= 60
    assert abs(time.time() + wait - reset) <= MARGIN
    assert answer.headers["x-ratelimit-remaining"] == "0"


@pytest.mark.parametrize(
    ("status", "path", "options"),
    [
        (404, RUN, {}),
        (400, "/api/workflows/No_Such/run", {}),
        (400, RUN, {"json": []}),
        (400, f"{RUN}?timeout=x", {}),
        (400, RUN, {"headers": {"idempotency-key": ""}}),
    ],
)
def test_errors_carry_the_headers_too(
    administration: Administration, status: int, path: str, options: dict[str, Any]
) -> None:
    caller = administration.caller("business")

    answers = [call(caller, path, **options) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {status}
    for answer in answers:
        assert set(NAMES) <= answer.headers.keys()
        assert answer.headers["x-ratelimit-limit"] == "1000"


def test_a_refused_capability_and_an_unapproved_account_carry_the_headers_too(
    administration: Administration,
) -> None:
    denied = call(administration.caller("pro", "workflow:read"))
    unapproved = call(administration.caller("pro", approved=False))

    assert (denied.status_code, unapproved.status_code) == (403, 403)
    assert set(NAMES) <= denied.headers.keys()
    assert set(NAMES) <= unapproved.headers.keys()


def test_sessions_count_like_keys(administration: Administration) -> None:
    account = administration.account("pro")
    caller = administration.with_key(administration.key(account))
    browser = administration.browser(account)

    answers = in_one_window(lambda: [call(caller), call(browser), call(caller)])

    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers]
    assert [left[0] - 1, left[0] - 2] == left[1:]


@pytest.mark.parametrize("account", [("enterprise", "user"), ("pro", "admin")])
def test_unlimited_accounts_have_no_headers(
    administration: Administration, account: tuple[str, str]
) -> None:
    tier, role = account
    caller = administration.caller(tier, role=role)

    answers = [call(caller) for _ in range(120)]

    assert {answer.status_code for answer in answers} == {404}
    assert not any("ratelimit" in name for answer in answers for name in answer.headers)


def test_other_routes_are_not_limited(administration: Administration) -> None:
    caller = administration.caller("pro")
    slug = caller.save(greeting())

    answers = [caller.get(f"/api/workflows/{slug}") for _ in range(120)]
    caller.clean()

    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in name for answer in answers for name in answer.headers)


def test_who_is_not_known_learns_nothing_of_limits(anonymous: httpx2.Client) -> None:
    answer = anonymous.post(RUN, json={"inputs": {}})

    assert answer.status_code == 401
    assert not any("ratelimit" in name for name in answer.headers)


def test_one_account_does_not_use_up_anothers_calls(administration: Administration) -> None:
    busy, other = administration.caller("pro"), administration.caller("pro")

    answers = in_one_window(lambda: [*(call(busy) for _ in range(101)), call(other)])

    assert answers[-2].status_code == 429
    assert answers[-1].headers["x-ratelimit-remaining"] in ("99", "98")
    assert_fits(answers[-1].json(), {"error": sentence, "code": "WORKFLOW_NOT_FOUND"})
