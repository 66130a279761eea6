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
    "GET /api/admin/installation/series": "session of an admin",
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
    answer = admins.post(ACCOUNTS, {"email": "new@example.org", "tier": "pro", "approved": False})
    listed = admins.get(ACCOUNTS, params={"q": "NEW@example.org", "limit": 1})

    assert answer.status_code == 201
    assert_fits(answer.json(), ROW)
    assert (answer.json()["role"], answer.json()["approved"]) == ("user", False)
    assert answer.json()["credits"] == {"balance": 5_000}
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

    again = admins.request("PATCH", f"{ACCOUNTS}/{account}", json={"tier": "business"})
    nothing = admins.request("PATCH", f"{ACCOUNTS}/{account}", json={})

    assert (answer.status_code, answer.json()["tier"]) == (200, "business")
    assert answer.json() == again.json() == nothing.json()
    assert browser.get("/api/me").json()["user"]["tier"] == "business"
    made = browser.post("/api/api-keys", {"name": "k", "capabilities": ["model:run"]})
    assert made.status_code == 201
    entry = entry_about(admins, account)
    assert entry["before"] == {"approved": False, "tier": "free"}
    assert entry["after"] == {"approved": True, "tier": "business"}


def test_credits_are_added_and_recorded(admins: Caller, administration: Administration) -> None:
    account = administration.account()
    browser = administration.browser(account)
    before = browser.get("/api/me").json()["credits"]["balance"]
    wish = {"credits": 70, "expiresAt": "2100-01-31T12:00:00.000Z", "note": "invoice 7"}

    answer = admins.post(f"{ACCOUNTS}/{account}/credit", wish)

    assert (answer.status_code, answer.json()["credits"]) == (200, {"balance": before + 70})
    after = browser.get("/api/me").json()["credits"]
    assert after["balance"] == before + 70
    assert after["topUps"] == [{"credits": 70, "expiresAt": wish["expiresAt"]}]
    entry = entry_about(admins, account)
    assert (entry["action"], entry["before"]) == ("account.credit", {"balance": before})
    assert entry["after"] == {"balance": before + 70, **wish}


WRONG = [
    *(("POST", "", {"email": each, "tier": "pro"}, "email") for each in ("", "a", "a b@c", None)),
    ("POST", "", {"tier": "pro"}, "email"),
    ("POST", "", {"email": "a@b", "tier": "gold"}, "tier"),
    ("POST", "", {"email": "a@b"}, "tier"),
    ("POST", "", {"email": "a@b", "tier": "pro", "role": "root"}, "role"),
    ("POST", "", {"email": "a@b", "tier": "pro", "approved": "yes"}, "approved"),
    *(
        ("PATCH", "/{id}", {name: value}, name)
        for name in ("approved", "tier", "role")
        for value in (None, 1, "golden", [])
    ),
    *(
        ("POST", "/{id}/credit", {"credits": 70, "note": "n"} | {name: value}, name)
        for name, values in {
            "credits": (0, -5, 1.5, "5", None, 2**53, 2**53 - 1),
            "note": (None, "", "x" * 201, 5),
            "expiresAt": ("2001-01-01T00:00:00Z", "soon", 5),
        }.items()
        for value in values
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), WRONG, ids=str)
def test_a_wrong_value_is_refused_by_its_name_and_changes_nothing(
    admins: Caller,
    administration: Administration,
    method: str,
    path: str,
    body: dict[str, Any],
    field: str,
) -> None:
    account = administration.account()
    admins.post(f"{ACCOUNTS}/{account}/credit", {"credits": 5, "note": "first"})
    before = admins.get("/api/admin/audit", params={"limit": 1}).json()["rows"]

    answer = admins.request(method, ACCOUNTS + path.format(id=account), json=body)

    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert answer.json()["code"] == "INVALID_BODY"
    assert admins.get("/api/admin/audit", params={"limit": 1}).json()["rows"] == before


def test_a_login_link_signs_in_once(
    admins: Caller, administration: Administration, browser: Caller
) -> None:
    account = administration.account()

    answer = admins.post(f"{ACCOUNTS}/{account}/login-link")

    assert answer.status_code == 201
    assert_fits(answer.json(), {"url": str, "accountId": account, "expiresAt": moment})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["url"][-30:] not in admins.get("/api/admin/audit").text
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
    path = f"{ACCOUNTS}/acc_nobody"

    for answer in (
        admins.request("PATCH", path, json={"approved": True}),
        admins.post(f"{path}/credit", {"credits": 5, "note": "n"}),
        admins.post(f"{path}/login-link"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "ACCOUNT_NOT_FOUND")


def test_accounts_come_in_pages_and_by_their_address(
    admins: Caller, administration: Administration
) -> None:
    emails = [f"page{number}@many.example" for number in range(3)]
    for email in emails:
        admins.post(ACCOUNTS, {"email": email, "tier": "pro"})

    query = {"limit": 2, "q": "MANY.example"}
    first = admins.get(ACCOUNTS, params=query).json()
    rest = admins.get(ACCOUNTS, params=query | {"cursor": first["nextCursor"]}).json()

    assert sorted(row["email"] for row in (*first["rows"], *rest["rows"])) == emails
    assert rest["nextCursor"] is None
    for wrong in ({"limit": 201}, {"limit": 0}, {"cursor": "nonsense"}):
        answer = admins.get(ACCOUNTS, params=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
