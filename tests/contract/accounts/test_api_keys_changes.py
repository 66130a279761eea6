import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, moment_or_null, sentence

ROUTES = {
    "PATCH /api/api-keys/{key_id}": "session",
    "POST /api/api-keys/{key_id}/webhook/redeliver": "session",
    "GET /api/deliveries/{delivery_id}": "session",
}
ROW = {
    "id": str,
    "name": str,
    "prefix": str,
    "last4": str,
    "capabilities": [str],
    "createdAt": moment,
    "expiresAt": moment_or_null,
    "lastUsedAt": moment_or_null,
}


def make(browser: Caller, **more: Any) -> Any:
    wish = {"name": "ci", "preset": "Run with webhooks", **more}
    return browser.post("/api/api-keys", wish).json()


def change(browser: Caller, key_id: str, body: Any) -> httpx2.Response:
    return browser.request("PATCH", f"/api/api-keys/{key_id}", json=body)


def test_a_key_is_renamed(browser: Caller) -> None:
    made = make(browser, expiresAt="2100-01-31T12:00:00+01:00")

    answer = change(browser, made["id"], {"name": "  website "})

    assert answer.status_code == 200
    assert_fits(answer.json(), {**ROW, "webhook": None, "client": None})
    assert answer.json()["name"] == "website"
    assert answer.json()["expiresAt"] == made["expiresAt"] == "2100-01-31T11:00:00.000Z"
    assert answer.json() in browser.get("/api/api-keys").json()
    assert change(browser, made["id"], {}).json() == answer.json()
    assert change(browser, made["id"], {"expiresAt": None}).json()["expiresAt"] is None


def test_a_list_of_keys_shows_each_webhook(browser: Caller) -> None:
    made = make(browser)
    hook = {"url": "https://example.com/hook", "enabled": True}
    browser.put(f"/api/api-keys/{made['id']}/webhook", hook)

    [row] = [row for row in browser.get("/api/api-keys").json() if row["id"] == made["id"]]

    assert row["webhook"] == hook


@pytest.mark.A05
def test_a_key_is_unauthorized_from_its_expiry_on(
    browser: Caller, administration: Administration
) -> None:
    made = make(browser)
    caller = administration.with_key(made["key"])
    assert caller.get("/api/whoami").status_code == 200

    soon = datetime.now(UTC) + timedelta(seconds=3)
    change(browser, made["id"], {"expiresAt": soon.isoformat()})
    while datetime.now(UTC) < soon:
        time.sleep(0.02)

    for answer in (caller.get("/api/whoami"), caller.run("no-such")):
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})
    change(browser, made["id"], {"expiresAt": None})
    assert caller.get("/api/whoami").status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(({"name": name}, "name") for name in ("", " ", "x" * 101, None, 1, [])),
        *(({"expiresAt": at}, "expiresAt") for at in ("2001-01-01T00:00:00Z", "soon", 1, "", [])),
        ({"expiresAt": "2100-01-31T12:00:00"}, "expiresAt"),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_is_refused(
    browser: Caller, body: dict[str, Any], field: str
) -> None:
    made = make(browser)
    before = browser.get("/api/api-keys").json()

    answer = change(browser, made["id"], body)

    assert answer.status_code == 400
    assert browser.get("/api/api-keys").json() == before
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": field})


def test_a_key_of_another_account_is_not_there(
    browser: Caller, administration: Administration
) -> None:
    other = administration.browser(administration.account())

    answer = change(other, make(browser)["id"], {"name": "mine"})

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def hooked(browser: Caller) -> tuple[str, Any]:
    """Return the path of a webhook, and its one delivery."""
    path = f"/api/api-keys/{make(browser)['id']}/webhook"
    browser.put(path, {"url": "https://nobody.invalid/hook"})
    return path, browser.post(f"{path}/test").json()


def test_a_delivery_is_read_by_its_id(browser: Caller, administration: Administration) -> None:
    _, delivery = hooked(browser)
    other = administration.browser(administration.account())

    found = browser.get(f"/api/deliveries/{delivery['id']}")
    foreign = other.get(f"/api/deliveries/{delivery['id']}")
    unknown = browser.get("/api/deliveries/00000000-0000-4000-8000-000000000000")
    malformed = browser.get("/api/deliveries/nothing")

    assert found.status_code == 200
    assert found.json().keys() == delivery.keys()
    assert (found.json()["id"], found.json()["event"]) == (delivery["id"], "webhook.test")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "NOT_FOUND")
    assert foreign.content == unknown.content == malformed.content


def test_deliveries_are_filtered_by_status(browser: Caller) -> None:
    path, delivery = hooked(browser)

    pending = browser.get(f"{path}/deliveries", params={"status": "pending"}).json()
    delivered = browser.get(f"{path}/deliveries", params={"status": "delivered"}).json()
    wrong = browser.get(f"{path}/deliveries", params={"status": "lost"})

    assert [row["id"] for row in pending["rows"]] == [delivery["id"]]
    assert delivered == {"rows": [], "nextCursor": None}
    assert (wrong.status_code, wrong.json()["code"]) == (400, "INVALID_QUERY")


def test_deliveries_since_a_time_are_redelivered(browser: Caller) -> None:
    path, _ = hooked(browser)

    answer = browser.post(f"{path}/redeliver", {"since": "2001-01-01T00:00:00Z"})
    none = browser.post(
        f"{path}/redeliver", {"since": "2001-01-01T00:00:00Z", "status": "delivered"}
    )
    assert answer.status_code == 202
    assert answer.json() == {"redelivered": 1, "more": False, "nextSince": None}
    assert none.json()["redelivered"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        *(({"since": at}, "since") for at in (None, "", "yesterday", 1, "2026-01-31T12:00:00")),
        ({}, "since"),
        ({"since": "2026-01-31T12:00:00Z", "status": "lost"}, "status"),
    ],
    ids=str,
)
def test_a_redelivery_that_cannot_be_is_refused(
    browser: Caller, body: dict[str, Any], field: str
) -> None:
    path, _ = hooked(browser)

    answer = browser.post(f"{path}/redeliver", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == field
