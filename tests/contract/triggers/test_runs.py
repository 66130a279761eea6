"""Runs of schedules at a call."""

from datetime import UTC, datetime, timedelta

from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, uuid
from tests.support.contract.triggers import (
    OCCURRENCE,
    at,
    greeting,
    hook,
    invalid,
    make,
    refused,
    schedule,
)

ROUTES = {"POST /api/triggers/{trigger_id}/run": "workflow:run and workflow:write"}


def test_it_starts_a_run_with_the_inputs_of_the_schedule(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug, inputs={"name": "Eve", "mark": "?"}))

    answer = owner.post(at(made, "/run"))

    assert answer.status_code == 202
    started = answer.json()
    assert_fits(started, {"executionId": uuid, "occurrenceId": uuid})
    ended = owner.ended(started["executionId"])
    assert (ended["status"], ended["result"]["text"]) == ("completed", "Hello Eve?")
    assert ended["source"] == "trigger"
    assert ended["triggerId"] == made["id"]
    assert ended["occurrenceId"] == started["occurrenceId"]
    assert (ended["keyId"], ended["workflowVersion"]) == (None, 1)


def test_it_has_an_occurrence(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))

    started = owner.post(at(made, "/run")).json()

    [row] = owner.get(at(made, "/occurrences")).json()["rows"]
    assert_fits(row, OCCURRENCE)
    assert row["id"] == started["occurrenceId"]
    assert (row["status"], row["reason"]) == ("started", None)
    assert row["executionId"] == started["executionId"]
    assert abs(datetime.fromisoformat(row["at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert owner.get(at(made)).json()["lastOccurrence"] == row
    assert owner.get(at(made, f"/occurrences/{row['id']}")).json() == row


def test_each_call_starts_one_and_the_due_time_stays(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))

    started = [owner.post(at(made, "/run")).json() for _ in range(3)]

    assert len({each["executionId"] for each in started}) == 3
    rows = owner.get(at(made, "/occurrences?limit=2")).json()
    assert [row["id"] for row in rows["rows"]] == [each["occurrenceId"] for each in started[:0:-1]]
    rest = owner.get(at(made, f"/occurrences?limit=2&cursor={rows['nextCursor']}")).json()
    assert [row["id"] for row in rest["rows"]] == [started[0]["occurrenceId"]]
    assert rest["nextCursor"] is None
    assert owner.get(at(made)).json()["nextAt"] == made["nextAt"]


def test_occurrences_filter_by_status_and_executions_by_trigger(owner: Caller, slug: str) -> None:
    made, other = make(owner, schedule(slug)), make(owner, schedule(slug))
    started = owner.post(at(made, "/run")).json()
    owner.post(at(other, "/run"))

    def statuses(query: str) -> list[str]:
        rows = owner.get(at(made, f"/occurrences?status={query}")).json()["rows"]
        return [row["status"] for row in rows]

    assert statuses("started") == ["started"]
    assert statuses("skipped") == statuses("failed") == statuses("missed") == []
    rows = owner.get(f"/api/executions?triggerId={made['id']}").json()["rows"]
    assert [row["executionId"] for row in rows] == [started["executionId"]]


def test_a_disabled_schedule_runs_at_a_call(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug, enabled=False))

    assert owner.post(at(made, "/run")).status_code == 202
    assert owner.get(at(made)).json()["enabled"] is False


def test_it_runs_the_version_that_it_names(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug, version=1))
    live = make(owner, schedule(slug))
    owner.put(f"/api/workflows/{slug}", greeting())

    versions = [
        owner.ended(owner.post(at(each, "/run")).json()["executionId"])["workflowVersion"]
        for each in (made, live)
    ]

    assert versions == [1, 2]


def test_the_version_that_it_names_is_kept(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug, version=1))

    for _ in range(51):
        assert owner.put(f"/api/workflows/{slug}", greeting()).status_code == 200

    started = owner.post(at(made, "/run")).json()
    assert owner.ended(started["executionId"])["workflowVersion"] == 1


def test_a_public_workflow_of_someone_else_runs_for_the_account(
    owner: Caller, stranger: Caller
) -> None:
    slug = stranger.save({**greeting(), "publicPlayground": True})
    made = make(owner, schedule(slug))

    ended = owner.ended(owner.post(at(made, "/run")).json()["executionId"])

    assert (ended["status"], ended["result"]["text"]) == ("completed", "Hello Ada!")
    assert (ended["nodes"], ended["workflowVersion"]) == ([], None)
    stranger.put(f"/api/workflows/{slug}", {"publicPlayground": False})
    refused(owner.post(at(made, "/run")), 409, "WORKFLOW_NOT_RUNNABLE")
    stranger.clean()


def test_an_inbound_webhook_runs_by_events_alone(owner: Caller, slug: str) -> None:
    invalid(owner.post(at(make(owner, hook(slug)), "/run")), "kind")


def test_without_its_workflow_it_cannot_run(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))
    owner.delete(f"/api/workflows/{slug}")

    body = refused(owner.post(at(made, "/run")), 409, "WORKFLOW_NOT_RUNNABLE")

    assert len(body["problems"]) == 1
    assert owner.get(at(made)).json()["workflowSlug"] == slug


def test_it_counts_in_the_rate_window_of_runs(administration: Administration) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    slug = browser.save(greeting())
    made = make(browser, schedule(slug))

    answers = [browser.client.post(at(made, "/run")) for _ in range(101)]

    over = [each for each in answers if each.status_code == 429]
    assert over, "all 101 calls were within the window of 100"
    body = refused(over[0], 429, "RATE_LIMIT_EXCEEDED")
    assert (body["limit"], body["tier"]) == (100, "pro")
    assert int(over[0].headers["retry-after"]) <= 60
    assert {each.status_code for each in answers} == {202, 429}


def test_a_run_is_the_account_s_and_has_no_key(administration: Administration) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    caller = administration.with_key(administration.key(account))
    made = make(caller, schedule(browser.save(greeting())))

    started = caller.post(at(made, "/run")).json()

    assert browser.ended(started["executionId"])["keyId"] is None


def test_runs_more_than_8_deep_are_loops(owner: Caller, slug: str) -> None:
    made = make(owner, schedule(slug))

    answer = owner.post(at(made, "/run"), headers={"headrace-depth": "8"})

    refused(answer, 508, "LOOP_DETECTED")
    assert owner.get(at(made, "/occurrences")).json()["rows"] == []


def test_someone_else_s_does_not_run(owner: Caller, slug: str, stranger: Caller) -> None:
    made = make(owner, schedule(slug))

    refused(stranger.post(at(made, "/run")), 404, "TRIGGER_NOT_FOUND")
    assert owner.get(at(made, "/occurrences")).json()["rows"] == []
