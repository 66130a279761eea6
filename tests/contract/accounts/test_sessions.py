from http.cookies import SimpleCookie

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import greeting


def test_a_session_is_a_cookie_for_browsers_alone(
    administration: Administration, anonymous: httpx2.Client, browser_account: str
) -> None:
    answer = anonymous.post(administration.login_path(browser_account))

    cookie = next(iter(SimpleCookie(answer.headers["set-cookie"]).values()))
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", "")


@pytest.mark.parametrize("scheme", ["https", "https, http", "HTTPS"])
def test_a_session_is_secure_under_https(
    administration: Administration, anonymous: httpx2.Client, browser_account: str, scheme: str
) -> None:
    path = administration.login_path(browser_account)

    answer = anonymous.post(path, headers={"x-forwarded-proto": scheme})

    assert "; Secure" in answer.headers["set-cookie"]


def test_a_session_may_do_what_its_account_may(browser: Caller) -> None:
    slug = browser.save(greeting())

    answer = browser.run(slug, {"name": "Eve"})

    assert answer.json()["result"] == {"text": "Hello Eve"}
    assert browser.execution(answer.json()["executionId"])["source"] == "app"


@pytest.mark.parametrize("tier", ["free", "creator", "pro", "enterprise"])
def test_accounts_of_all_tiers_run_with_a_session(
    administration: Administration, tier: str
) -> None:
    browser = administration.browser(administration.account(tier))

    assert browser.run(browser.save(greeting()), {"name": "Eve"}).status_code == 200
    browser.clean()


@pytest.mark.A93
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "OWN", "content-type": "text/plain"},
        {"origin": "OWN", "content-type": "application/x-www-form-urlencoded"},
        {"origin": "OWN", "sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/workflows"),
        ("PUT", "/api/workflows/contract"),
        ("DELETE", "/api/workflows/contract"),
        ("POST", "/api/workflows/contract/run"),
        ("POST", "/api/api-keys"),
        ("POST", "/logout"),
    ],
)
def test_a_write_that_another_site_may_have_sent_is_refused(
    administration: Administration,
    browser: Caller,
    method: str,
    path: str,
    headers: dict[str, str],
) -> None:
    sent = {name: value.replace("OWN", administration.url) for name, value in headers.items()}
    browser.client.headers.pop("origin")
    kind = {"content-type": "application/json"} | sent

    answer = browser.client.request(method, path, content=b"{}", headers=kind)

    assert answer.status_code == 403
    assert_fits(answer.json(), {"error": sentence, "code": "CSRF_FAILED"})


def test_same_origin_is_proof_enough(browser: Caller) -> None:
    browser.client.headers.pop("origin")

    answer = browser.post(
        "/api/workflows/no-such/run", {"inputs": {}}, headers={"sec-fetch-site": "same-origin"}
    )

    assert answer.json()["code"] == "WORKFLOW_NOT_FOUND"


@pytest.mark.A93
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_no_other_origin_is_allowed(caller: Caller, method: str) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    answer = caller.client.request(method, "/api/workflows", headers=headers)

    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_session_that_was_signed_out_is_worth_nothing(browser: Caller) -> None:
    cookies = dict(browser.client.cookies)

    out = browser.post("/logout")
    browser.client.cookies.clear()
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    after = browser.get("/api/me", headers={"cookie": cookie})

    assert (out.status_code, out.json()) == (200, {"success": True})
    assert SimpleCookie(out.headers["set-cookie"])["headrace_session"]["max-age"] == "0"
    assert (after.status_code, after.json()) == (401, {"error": "Unauthorized"})
