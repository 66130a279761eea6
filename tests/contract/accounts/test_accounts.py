from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, number, sentence

ROUTES = {
    "GET /api/admin/accounts": "session of an admin",
    "POST /api/admin/accounts": "session of an admin",
    "PATCH /api/admin/accounts/{account_id}": "session of an admin",
    "POST /api/admin/accounts/{account_id}/credit": "session of an admin",
    "POST /api/admin/accounts/{account_id}/login-link": "session of an admin",
    "GET /api/admin/audit": "session of an admin",
    "GET /api/admin/installation": "session of an admin",
}
ACCOUNTS = "/api/admin/accounts"
ROW = {
    "id": str,
    "email": str,
    "role": lambda value: value in ("user", "admin"),
    "tier": lambda value: value in ("free", "creator", "pro", "business", "enterprise"),
    "approved": bool,
    "credits": {"balance": number},
    "createdAt": moment,
}
ENTRY = {
    "id": str,
    "at": moment,
    "by": str,
    "action": str,
    "subject": str,
    "before": lambda value: value is None or isinstance(value, dict),
    "after": lambda value: value is None or isinstance(value, dict),
}


@pytest.fixture
def admins(administration: Administration) -> Caller:
    return administration.browser(administration.account(role="admin"))


def entry_about(admins: Caller, subject: str) -> Any:
    """Return the newest entry of the audit log about a subject."""
    rows = admins.get("/api/admin/audit", params={"limit": 200}).json()["rows"]
    return next(row for row in rows if row["subject"] == subject)


def test_an_account_is_created_listed_and_recorded(admins: Caller) -> None:
    answer = admins.post(ACCOUNTS, {"email": "new@example.org", "tier": "pro"})
    listed = admins.get(ACCOUNTS, params={"q": "new@example.org", "limit": 1})

    assert answer.status_code == 201
    assert_fits(answer.json(), ROW)
    assert listed.json()["rows"] == [answer.json()]
    entry = entry_about(admins, answer.json()["id"])
    assert_fits(entry, ENTRY)
    assert entry["by"] == admins.get("/api/me").json()["user"]["id"]
    assert entry["before"] is None
    assert entry["after"]["email"] == "new@example.org"


def test_an_account_is_approved_and_moved_at_once(
    admins: Caller, administration: Administration
) -> None:
    account = administration.account("free", approved=False)
    browser = administration.browser(account)
    assert browser.create({"name": "Mine", "nodes": [], "edges": []}).status_code == 403

    answer = admins.request(
        "PATCH", f"{ACCOUNTS}/{account}", json={"approved": True, "tier": "business"}
    )

    assert (answer.status_code, answer.json()["tier"]) == (200, "business")
    assert browser.get("/api/me").json()["user"]["tier"] == "business"
    made = browser.post("/api/api-keys", {"name": "k", "capabilities": ["model:run"]})
    assert made.status_code == 201
    entry = entry_about(admins, account)
    assert entry["before"] == {"approved": False, "tier": "free"}
    assert entry["after"] == {"approved": True, "tier": "business"}


def test_credits_are_added_and_recorded(admins: Caller, administration: Administration) -> None:
    account = administration.account()
    before = administration.browser(account).get("/api/me").json()["credits"]["balance"]

    answer = admins.post(
        f"{ACCOUNTS}/{account}/credit",
        {"credits": 70, "expiresAt": "2100-01-01T00:00:00Z", "note": "invoice 7"},
    )
    refused = admins.post(f"{ACCOUNTS}/{account}/credit", {"credits": 70})

    assert (answer.status_code, answer.json()["credits"]) == (200, {"balance": before + 70})
    assert (refused.status_code, refused.json()["field"]) == (400, "note")
    entry = entry_about(admins, account)
    assert entry["before"]["balance"] == before
    assert entry["after"]["note"] == "invoice 7"


def test_a_login_link_signs_in_once(
    admins: Caller, administration: Administration, browser: Caller
) -> None:
    account = administration.account()

    answer = admins.post(f"{ACCOUNTS}/{account}/login-link")

    assert answer.status_code == 201
    assert_fits(answer.json(), {"url": str, "accountId": account, "expiresAt": moment})
    visitor = administration.with_key("none")
    del visitor.client.headers["x-api-key"]
    assert visitor.client.post(answer.json()["url"]).status_code == 303
    assert visitor.get("/api/me").json()["user"]["id"] == account
    assert entry_about(admins, account)["action"] == "account.login-link"


def test_these_are_for_admins_alone(browser: Caller, browser_account: str) -> None:
    for method, path in [route.split(" ") for route in ROUTES]:
        answer = browser.request(method, path.format(account_id=browser_account), json={})

        assert answer.status_code == 403
        assert_fits(
            answer.json(), {"error": sentence, "code": "CAPABILITY_DENIED", "required": "*"}
        )


def test_the_last_admin_cannot_lose_the_role(admins: Caller) -> None:
    rows = admins.get(ACCOUNTS, params={"limit": 200}).json()["rows"]
    me = admins.get("/api/me").json()["user"]["id"]
    others = [row["id"] for row in rows if row["role"] == "admin" and row["id"] != me]
    try:
        for other in others:
            admins.request("PATCH", f"{ACCOUNTS}/{other}", json={"role": "user"})
        answer = admins.request("PATCH", f"{ACCOUNTS}/{me}", json={"role": "user"})
    finally:
        for other in others:
            admins.request("PATCH", f"{ACCOUNTS}/{other}", json={"role": "admin"})

    assert answer.status_code == 409
    assert_fits(answer.json(), {"error": sentence, "code": "LAST_ADMIN"})
    assert admins.get(ACCOUNTS).status_code == 200


def test_an_unknown_account_is_not_found(admins: Caller) -> None:
    answer = admins.request("PATCH", f"{ACCOUNTS}/acc_nobody", json={"approved": True})

    assert (answer.status_code, answer.json()["code"]) == (404, "ACCOUNT_NOT_FOUND")
