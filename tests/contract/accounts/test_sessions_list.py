import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, text_or_null

ROUTES = {
    "GET /api/sessions": "session",
    "DELETE /api/sessions/{session_id}": "session",
}
ROW = {
    "id": str,
    "createdAt": moment,
    "lastUsedAt": moment,
    "userAgent": text_or_null,
    "address": text_or_null,
    "current": bool,
}


def test_sessions_are_listed_newest_first(administration: Administration) -> None:
    account = administration.account()
    first, second = administration.browser(account), administration.browser(account)

    answer = first.get("/api/sessions")

    assert answer.status_code == 200
    assert_fits(answer.json(), {"rows": [ROW], "nextCursor": None})
    assert [row["current"] for row in answer.json()["rows"]] == [False, True]
    assert [row["current"] for row in second.get("/api/sessions").json()["rows"]] == [True, False]


def test_an_ended_session_is_unauthorized_at_once(administration: Administration) -> None:
    account = administration.account()
    first, second = administration.browser(account), administration.browser(account)
    [row] = [row for row in first.get("/api/sessions").json()["rows"] if not row["current"]]

    ended = first.delete(f"/api/sessions/{row['id']}")

    assert (ended.status_code, ended.json()) == (200, {"success": True})
    assert second.get("/api/me").status_code == 401
    assert first.get("/api/me").status_code == 200
    assert first.delete(f"/api/sessions/{row['id']}").status_code == 404


def test_a_session_of_another_account_is_not_found(
    administration: Administration, browser: Caller
) -> None:
    other = administration.browser(administration.account())
    [row] = other.get("/api/sessions").json()["rows"]

    answer = browser.delete(f"/api/sessions/{row['id']}")
    unknown = browser.delete("/api/sessions/ses_0")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert (unknown.status_code, unknown.json()) == (404, answer.json())
    assert other.get("/api/me").status_code == 200


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/app/settings?tab=keys", "/app/settings?tab=keys"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/%2Fevil.example", "/"),
    ],
)
def test_a_sign_in_leads_to_a_path_of_this_host_alone(
    administration: Administration, target: str, location: str
) -> None:
    browser = administration.with_key("none")
    path = administration.login_path(administration.account())

    answer = browser.client.post(path, params={"next": target, "token": path.partition("=")[2]})

    assert (answer.status_code, answer.headers["location"]) == (303, location)
