"""Triggers: made, read, listed, changed and deleted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.contract.installation import ALL, Administration, Caller
from tests.support.contract.shapes import assert_fits
from tests.support.contract.triggers import (
    HOOK,
    NEVER,
    PATH,
    SCHEDULE,
    at,
    greeting,
    hook,
    make,
    refused,
    schedule,
)

ROUTES = {
    "GET /api/triggers": "workflow:run and workflow:write",
    "POST /api/triggers": "workflow:run and workflow:write",
    "GET /api/triggers/{trigger_id}": "workflow:run and workflow:write",
    "PATCH /api/triggers/{trigger_id}": "workflow:run and workflow:write",
    "DELETE /api/triggers/{trigger_id}": "workflow:run and workflow:write",
}
WRITE, RUN = "workflow:write", "workflow:run"


def test_a_schedule_is_made_with_defaults(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))

    assert_fits(made, SCHEDULE)
    assert_fits(
        made,
        {
            **SCHEDULE,
            "kind": "schedule",
            "name": "Yearly",
            "workflowSlug": slug,
            "enabled": True,
            "createdBy": None,
            "lastOccurrence": None,
            "cron": NEVER,
            "timezone": "UTC",
            "inputs": {"name": "Ada"},
            "overlap": "allow",
            "missed": "last",
        },
    )
    assert made.keys() & {"version", "max_credits", "webhook"} == set()
    assert datetime.fromisoformat(made["nextAt"]) > datetime.now(UTC)


def test_a_schedule_is_made_with_all_members(owner: Caller, slug: str) -> None:
    members = {
        "cron": "30 9 * * 1-5",
        "timezone": "Europe/Berlin",
        "inputs": {"name": "Eve", "mark": "?"},
        "overlap": "skip",
        "missed": "all",
        "version": 1,
        "enabled": False,
        "max_credits": 12,
    }

    made = make(owner, schedule(slug, **members))

    assert {name: made[name] for name in members} == members
    assert made["nextAt"] is None


def test_an_inbound_webhook_is_made_with_defaults(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug))

    assert_fits(made, {**HOOK, "kind": "webhook", "verify": {"kind": "none"}})
    assert made["respond"] == "accepted"
    assert made.keys() & {"when", "inputs", "eventId", "cron", "nextAt"} == set()


def test_an_inbound_webhook_is_made_with_all_members(owner: Caller, slug: str) -> None:
    verify = {
        "kind": "hmac",
        "secret": "SIGNING",
        "header": "x-mac",
        "prefix": "v=",
        "encoding": "hex",
    }
    members = {
        "verify": verify,
        "when": "body.wanted == true",
        "inputs": {"name": "body.name", "mark": "headers['x-mark']"},
        "eventId": "body.id",
        "respond": "result",
    }

    made = make(owner, hook(slug, **members))

    assert {name: made[name] for name in members} == members


def test_its_url_has_43_characters_at_the_public_address(
    owner: Caller, slug: str, administration: Administration
) -> None:
    base, _, token = make(owner, hook(slug))["url"].rpartition("/")

    assert base == f"{administration.url}/hooks"
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()
    assert make(owner, hook(slug))["url"] != f"{base}/{token}"


def test_it_is_read_as_it_was_made(owner: Caller, slug: str) -> None:
    for body in (schedule(slug), hook(slug)):
        made = make(owner, body)

        answer = owner.get(at(made))

        assert (answer.status_code, answer.json()) == (200, made)


def test_the_list_is_newest_first_and_comes_in_pages(owner: Caller, slug: str) -> None:
    made = [make(owner, schedule(slug, name=f"T{number}")) for number in range(3)]

    whole = owner.get(PATH).json()
    first = owner.get(f"{PATH}?limit=2").json()
    second = owner.get(f"{PATH}?limit=2&cursor={first['nextCursor']}").json()

    assert whole == {"rows": made[::-1], "nextCursor": None}
    assert first["rows"] + second["rows"] == made[::-1]
    assert second["nextCursor"] is None
    refused(owner.get(f"{PATH}?cursor=nonsense"), 400, "INVALID_QUERY")
    refused(owner.get(f"{PATH}?limit=201"), 400, "INVALID_QUERY")


def test_the_list_filters_by_kind_and_workflow(owner: Caller, slug: str) -> None:
    other = owner.save(greeting())
    made = [make(owner, body) for body in (schedule(slug), hook(slug), schedule(other))]

    def ids(query: str) -> set[str]:
        return {row["id"] for row in owner.get(f"{PATH}?{query}").json()["rows"]}

    assert ids("kind=webhook") == {made[1]["id"]}
    assert ids(f"workflowSlug={slug}") == {made[0]["id"], made[1]["id"]}
    assert ids(f"workflowSlug={other}&kind=webhook") == set()


def test_members_that_are_left_out_stay(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug, timezone="Asia/Tokyo", max_credits=5))

    answer = owner.patch(at(made), {"name": "Other"})

    assert answer.status_code == 200
    changed = answer.json()
    assert changed["updatedAt"] > made["updatedAt"]
    assert changed == {**made, "name": "Other", "updatedAt": changed["updatedAt"]}
    assert owner.get(at(made)).json() == changed


def test_all_members_of_a_schedule_change(owner: Caller, slug: str) -> None:
    made, other = make(owner, schedule(slug)), owner.save(greeting())
    changes = {
        "name": "Other",
        "workflowSlug": other,
        "version": 1,
        "enabled": False,
        "max_credits": 3,
        "cron": "@daily",
        "timezone": "America/New_York",
        "inputs": {"name": "Eve"},
        "overlap": "skip",
        "missed": "skip",
    }

    changed = owner.patch(at(made), changes).json()

    assert {name: changed[name] for name in changes} == changes


def test_members_of_an_inbound_webhook_change_and_its_url_stays(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug, when="true", inputs={"name": "body.name"}, eventId="body.id"))
    changes: dict[str, Any] = {
        "verify": {"kind": "github", "secret": "SIGNING"},
        "when": "false",
        "respond": "result",
    }

    answer = owner.patch(at(made), changes)
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    bare = owner.patch(at(made), {"when": None, "inputs": None, "eventId": None}).json()

    assert {name: changed[name] for name in changes} == changes
    assert bare["url"] == changed["url"] == made["url"]
    assert bare.keys() & {"when", "inputs", "eventId"} == set()


def test_null_takes_a_version_and_a_limit_back(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug, version=1, max_credits=5))

    changed = owner.patch(at(made), {"version": None, "max_credits": None}).json()

    assert changed.keys() & {"version", "max_credits"} == set()


def test_the_next_time_follows_the_expression_and_the_switch(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))

    paused = owner.patch(at(made), {"enabled": False}).json()
    moved = owner.patch(at(made), {"cron": "@hourly", "enabled": True}).json()

    assert paused["nextAt"] is None
    wait = datetime.fromisoformat(moved["nextAt"]) - datetime.now(UTC)
    assert wait <= timedelta(hours=1)


def test_the_kind_stays(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))

    refused(owner.patch(at(made), {"kind": "webhook"}), 400, "INVALID_TRIGGER")
    assert owner.patch(at(made), {"kind": "schedule"}).status_code == 200


def test_a_deleted_one_is_gone(owner: Caller, slug: str) -> None:
    made = make(owner, hook(slug))

    gone = owner.delete(at(made))

    assert (gone.status_code, gone.json()) == (200, {"success": True})
    for method in ("GET", "PATCH", "DELETE"):
        refused(owner.request(method, at(made), json={}), 404, "TRIGGER_NOT_FOUND")
    assert owner.get(PATH).json()["rows"] == []


@pytest.mark.parametrize("trigger_id", ["trg_000000000000", "nothing", "trg_" + "0" * 200])
def test_an_unknown_one_is_not_found(owner: Caller, trigger_id: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = owner.request(method, f"{PATH}/{trigger_id}", json={})
        refused(answer, 404, "TRIGGER_NOT_FOUND")


def test_someone_else_s_is_not_found(owner: Caller, slug: str, stranger: Caller) -> None:
    made = make(owner, hook(slug))

    for method in ("GET", "PATCH", "DELETE"):
        refused(stranger.request(method, at(made), json={}), 404, "TRIGGER_NOT_FOUND")
    assert stranger.get(PATH).json()["rows"] == []
    assert owner.get(at(made)).status_code == 200


def test_the_101st_is_refused(administration: Administration) -> None:
    owner = administration.browser(administration.account("pro"))
    slug = owner.save(greeting())
    answers = [owner.post(PATH, schedule(slug)) for _ in range(101)]

    assert {each.status_code for each in answers[:100]} == {201}
    body = refused(answers[100], 413, "QUOTA_EXCEEDED")
    assert (body["quota"], body["used"], body["limit"]) == ("triggers", 100, 100)
    owner.delete(at(answers[0].json()))
    assert owner.post(PATH, hook(slug)).status_code == 201


def test_a_key_needs_both_capabilities(administration: Administration) -> None:
    account = administration.account("pro")
    slug = administration.browser(account).save(greeting())

    for held, required in ((WRITE, RUN), (RUN, WRITE)):
        caller = administration.with_key(administration.key(account, held))
        for answer in (caller.get(PATH), caller.post(PATH, schedule(slug))):
            assert refused(answer, 403, "CAPABILITY_DENIED")["required"] == required
    caller = administration.with_key(administration.key(account, WRITE, RUN))
    assert caller.post(PATH, schedule(slug)).status_code == 201


def test_it_names_the_key_that_made_it(administration: Administration) -> None:
    account = administration.account("pro")
    browser, caller = (
        administration.browser(account),
        administration.with_key(administration.key(account)),
    )
    slug = browser.save(greeting())

    made = make(caller, schedule(slug))

    [key] = browser.get("/api/api-keys").json()
    assert made["createdBy"] == key["id"]
    assert browser.patch(at(made), {"name": "Other"}).json()["createdBy"] == key["id"]


def test_a_key_limited_to_one_slug_suffices_for_that_slug(administration: Administration) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    own, other = browser.save(greeting()), browser.save(greeting())
    caller = administration.with_key(administration.key(account, f"workflow:{own}:run", WRITE))
    foreign = make(browser, schedule(other))

    made = make(caller, schedule(own))

    assert [row["id"] for row in caller.get(PATH).json()["rows"]] == [made["id"]]
    assert caller.patch(at(made), {"enabled": False}).status_code == 200
    assert refused(caller.post(PATH, schedule(other)), 403, "CAPABILITY_DENIED")["required"] == RUN
    moved = caller.patch(at(made), {"workflowSlug": other})
    assert refused(moved, 403, "CAPABILITY_DENIED")["required"] == RUN
    for method in ("GET", "PATCH", "DELETE"):
        refused(caller.request(method, at(foreign), json={}), 404, "TRIGGER_NOT_FOUND")


def test_deleting_a_key_disables_its_triggers(administration: Administration) -> None:
    account = administration.account("pro")
    browser, caller = (
        administration.browser(account),
        administration.with_key(administration.key(account)),
    )
    slug = browser.save(greeting())
    of_key = [make(caller, schedule(slug)), make(caller, hook(slug))]
    of_session = make(browser, schedule(slug))
    [key] = browser.get("/api/api-keys").json()

    browser.delete(f"/api/api-keys/{key['id']}")

    assert [browser.get(at(each)).json()["enabled"] for each in of_key] == [False, False]
    assert browser.get(at(of_session)).json() == of_session


def test_an_account_that_is_not_approved_reads_only(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro", approved=False))

    assert browser.get(PATH).json() == {"rows": [], "nextCursor": None}
    refused(browser.post(PATH, schedule("any")), 403, "ACCOUNT_NOT_APPROVED")


def test_each_write_has_an_entry_of_the_audit_log(
    administration: Administration, admin: Caller
) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    made = make(browser, hook(browser.save(greeting())))
    browser.patch(at(made), {"name": "Other"})
    browser.post(at(made, "/rotate"))
    browser.delete(at(made))

    rows = admin.get("/api/admin/audit?limit=200").json()["rows"]

    entries = [row for row in rows if row["subject"] == made["id"]]
    actions = [each["action"] for each in entries]
    assert actions == [f"trigger.{verb}" for verb in ("delete", "rotate", "change", "create")]
    assert {each["by"] for each in entries} == {account}
    assert made["url"].rpartition("/")[2] not in str(entries)


def test_all_capabilities_include_triggers(administration: Administration) -> None:
    assert administration.caller("pro", *ALL).get(PATH).status_code == 200
