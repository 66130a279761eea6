import json
from typing import Any

import pytest

from headrace_client import ServerError
from headrace_client.core.triggers import (
    change_trigger,
    create_hook,
    create_schedule,
    delete_trigger,
    get_occurrence,
    list_occurrences,
    list_triggers,
    preview,
    rotate_trigger,
    run_trigger,
    try_event,
)
from tests.support.http.clients.fake_driver import FakeDriver, answer

AT = "2026-11-30T10:00:00.000Z"
OCCURRENCE = {"id": "o1", "at": AT, "status": "started", "reason": None, "executionId": "e1"}
TRIGGER: dict[str, Any] = {
    "id": "trg_1",
    "kind": "schedule",
    "name": "Daily",
    "workflowSlug": "s",
    "enabled": True,
    "max_credits": 5,
    "cron": "@daily",
    "nextAt": AT,
    "createdBy": None,
    "createdAt": AT,
    "updatedAt": AT,
    "lastOccurrence": OCCURRENCE,
}


def test_a_schedule_is_made() -> None:
    driver = FakeDriver([answer(201, TRIGGER)])

    made = driver.drive(
        create_schedule(
            driver.session(), "s", "Daily", "@daily", {"max_credits": 5, "timezone": "UTC"}
        )
    )

    [request] = driver.requests
    assert (request.method, request.path) == ("POST", "/api/triggers")
    assert json.loads(request.body or b"") == {
        "kind": "schedule",
        "name": "Daily",
        "workflowSlug": "s",
        "cron": "@daily",
        "max_credits": 5,
        "timezone": "UTC",
    }
    assert (made.id, made.max_credits, made.version, made.url) == ("trg_1", 5, None, None)
    assert made.next_at is not None and made.next_at.isoformat() == "2026-11-30T10:00:00+00:00"
    assert made.last_occurrence is not None and made.last_occurrence.execution_id == "e1"


def test_an_inbound_webhook_is_made() -> None:
    members = {**TRIGGER, "kind": "webhook", "url": "https://h/hooks/x", "verify": {"kind": "none"}}
    driver = FakeDriver([answer(201, members)])

    made = driver.drive(
        create_hook(driver.session(), "s", "In", {"kind": "none"}, {"event_id": "body.id"})
    )

    body = json.loads(driver.requests[0].body or b"")
    assert (body["kind"], body["verify"], body["eventId"]) == (
        "webhook",
        {"kind": "none"},
        "body.id",
    )
    assert (made.url, made.verify) == ("https://h/hooks/x", {"kind": "none"})


def test_neither_a_trigger_nor_a_run_is_made_twice() -> None:
    for flow in (
        lambda session: create_schedule(session, "s", "Daily", "@daily", {}),
        lambda session: run_trigger(session, "trg_1"),
    ):
        driver = FakeDriver([answer(502, {})] * 2)

        with pytest.raises(ServerError):
            driver.drive(flow(driver.session()))

        assert len(driver.requests) == 1


def test_a_change_sends_what_is_given() -> None:
    driver = FakeDriver([answer(200, TRIGGER)])

    driver.drive(change_trigger(driver.session(), "trg_1", {"enabled": False, "webhook": None}))

    [request] = driver.requests
    assert (request.method, request.path) == ("PATCH", "/api/triggers/trg_1")
    assert json.loads(request.body or b"") == {"enabled": False, "webhook": None}


def test_triggers_and_occurrences_are_listed_page_by_page() -> None:
    pages = [{"rows": [TRIGGER], "nextCursor": "c"}, {"rows": [TRIGGER], "nextCursor": None}]
    driver = FakeDriver([answer(200, page) for page in pages])

    driver.drive(list_triggers(driver.session(), "schedule", "s", 1))

    assert [each.id for each in driver.emitted] == ["trg_1", "trg_1"]
    first, second = driver.requests
    assert first.query == (("kind", "schedule"), ("workflowSlug", "s"), ("limit", "1"))
    assert second.query[-1] == ("cursor", "c")

    missed = {**OCCURRENCE, "status": "missed", "executionId": None, "count": 7}
    driver = FakeDriver([answer(200, {"rows": [missed], "nextCursor": None})])
    driver.drive(list_occurrences(driver.session(), "trg_1", "missed", None))
    [row] = driver.emitted
    assert (row.status, row.count, row.body) == ("missed", 7, None)
    assert driver.requests[0].path == "/api/triggers/trg_1/occurrences"


def test_an_occurrence_has_its_event() -> None:
    driver = FakeDriver([answer(200, {**OCCURRENCE, "body": [1], "headers": {"a": "b"}})])

    found = driver.drive(get_occurrence(driver.session(), "trg_1", "o1"))

    assert (found.body, found.headers) == ([1], {"a": "b"})
    assert driver.requests[0].path == "/api/triggers/trg_1/occurrences/o1"


def test_verbs_of_one_trigger() -> None:
    tested = {"wouldRun": False, "inputs": {}, "problems": [{"field": "when", "reason": "no"}]}
    answers = [
        answer(202, {"executionId": "e1", "occurrenceId": "o1"}),
        answer(200, TRIGGER),
        answer(200, tested),
        answer(200, {"success": True}),
    ]
    driver = FakeDriver(iter(answers))
    session = driver.session()

    assert driver.drive(run_trigger(session, "trg_1")).execution_id == "e1"
    assert driver.drive(rotate_trigger(session, "trg_1")).id == "trg_1"
    assert driver.drive(try_event(session, "trg_1", None, None)).problems[0].field == "when"
    driver.drive(delete_trigger(session, "trg_1"))

    assert [(each.method, each.path.rpartition("/")[2]) for each in driver.requests] == [
        ("POST", "run"),
        ("POST", "rotate"),
        ("POST", "test"),
        ("DELETE", "trg_1"),
    ]
    assert json.loads(driver.requests[2].body or b"") == {"body": None, "headers": {}}


def test_a_preview_is_a_list_of_times() -> None:
    driver = FakeDriver([answer(200, {"at": [AT]})])

    [at] = driver.drive(preview(driver.session(), "@daily", "UTC", 1))

    assert at.isoformat() == "2026-11-30T10:00:00+00:00"
