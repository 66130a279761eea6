"""Approvals: who may answer them and how, what their nodes deliver, and the list."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.contract.approvals import (
    ANSWER,
    FIELDS,
    answer_to,
    asking_person,
    begin,
    delaying,
    is_link,
    node_of,
    waits_of,
)
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, sentence, uuid

ROUTES = {
    "GET /api/approvals": "execution:approve",
    "POST /api/executions/{execution_id}/approvals/{node_id}": "execution:approve",
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def refusal(code: str, **members: Any) -> dict[str, Any]:
    return {"error": sentence, "code": code, **members}


@pytest.fixture(scope="module")
def waiting(administration: Administration) -> tuple[Caller, str]:
    """A caller, and an execution that no test ends."""
    caller = administration.caller("business")
    return caller, begin(caller, asking_person())


# -- answers ---------------------------------------------------------------------------------------


def test_an_approved_value_goes_on_with_the_answer(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())
    body = {"decision": "approve", "fields": {"urgent": False, "headline": "Hi"}, "note": "Fine"}

    answered = answer_to(caller, execution_id, body)

    assert answered.status_code == 200, answered.text
    shape = {
        "decision": "approve",
        "fields": {"urgent": bool, "headline": "Hi", "copies": 2},
        "note": "Fine",
        "by": {"kind": "key", "id": str},
        "at": moment,
    }
    assert_fits(answered.json(), shape)
    ended = caller.ended(execution_id)
    assert ended["result"] == {"yes": "Ada", "no": None, "answer": answered.json()}
    assert ended["waitingFor"] == []
    assert node_of(ended, "ask")["status"] == "completed"


def test_a_refused_value_takes_the_other_way_without_required_fields(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())

    answered = answer_to(caller, execution_id, {"decision": "refuse"})

    assert answered.status_code == 200, answered.text
    given = {"decision": "refuse", "fields": {}, "note": None}
    assert {name: answered.json()[name] for name in given} == given
    result = caller.ended(execution_id)["result"]
    assert result == {"yes": None, "no": "Ada", "answer": answered.json()}


def test_a_session_answers_in_its_own_name(browser: Caller) -> None:
    execution_id = begin(browser, asking_person())

    by = answer_to(browser, execution_id).json()["by"]

    sessions = browser.get("/api/sessions").json()["rows"]
    [current] = [each["id"] for each in sessions if each["current"]]
    assert by == {"kind": "session", "id": current}


@pytest.mark.parametrize(
    ("decision", "fields", "field"),
    [
        ("approve", {}, "urgent"),
        ("approve", {"urgent": "yes"}, "urgent"),
        ("approve", {"urgent": True, "copies": 10}, "copies"),
        ("approve", {"urgent": True, "headline": "x" * 21}, "headline"),
        ("approve", {"urgent": True, "place": "home"}, "place"),
        ("approve", {"urgent": True, "another": 1}, "another"),
        ("approve", {"urgent": True, "headline": "a\0b"}, "headline"),
        ("refuse", {"urgent": 1}, "urgent"),
        ("refuse", {"copies": "2"}, "copies"),
        ("refuse", {"headline": "x" * 70_000}, "headline"),
    ],
)
def test_wrong_fields_are_named_and_decide_nothing(
    waiting: tuple[Caller, str], decision: str, fields: Any, field: str
) -> None:
    caller, execution_id = waiting

    refused = answer_to(caller, execution_id, {"decision": decision, "fields": fields})

    assert refused.status_code == 400
    assert_fits(refused.json(), refusal("INVALID_INPUTS", field=field, reason=sentence))
    assert len(caller.execution(execution_id)["waitingFor"]) == 1


def test_fields_of_a_refusal_are_checked_for_their_type_alone(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())
    fields = {"copies": 10, "headline": "x" * 21}

    answered = answer_to(caller, execution_id, {"decision": "refuse", "fields": fields})

    assert (answered.status_code, answered.json().get("fields")) == (200, fields)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "yes"}, "decision"),
        ({"decision": "approve", "fields": []}, "fields"),
        ({"decision": "refuse", "reason": "No"}, "reason"),
        ({"decision": "approve", "note": 1}, "note"),
        ({"decision": "approve", "note": "x" * 2_001}, "note"),
        ({"decision": "approve", "note": "a\0b"}, "note"),
    ],
)
def test_a_body_of_another_form_is_refused(
    waiting: tuple[Caller, str], body: Any, field: str
) -> None:
    refused = answer_to(*waiting, body)

    assert refused.status_code == 400
    assert_fits(refused.json(), refusal("INVALID_BODY", field=field))


def test_an_answered_approval_says_how_and_when(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())
    first = answer_to(caller, execution_id).json()
    for _ in range(2):
        second = answer_to(caller, execution_id, {"decision": "refuse", "fields": {"urgent": 1}})

        assert second.status_code == 409
        known = {"decision": "approve", "at": first["at"]}
        assert_fits(second.json(), refusal("APPROVAL_ANSWERED", **known))
        caller.ended(execution_id)


def test_of_answers_at_once_one_wins(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())
    bodies = [{**ANSWER, "decision": ("approve", "refuse")[each % 2]} for each in range(12)]

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda body: answer_to(caller, execution_id, body), bodies))

    [won] = [each.json() for each in answers if each.status_code == 200]
    for lost in answers:
        if lost.status_code != 200:
            assert lost.status_code == 409
            assert (lost.json()["decision"], lost.json()["at"]) == (won["decision"], won["at"])
    assert caller.ended(execution_id)["result"]["answer"] == won


@pytest.mark.A106
def test_what_does_not_wait_cannot_be_answered(caller: Caller, stranger: Caller) -> None:
    execution_id = begin(caller, asking_person())
    delayed = begin(caller, delaying(seconds=3_600))

    for node_id in ("in", "out", "unknown", "ask/x"):
        answer = answer_to(caller, execution_id, node_id=node_id)
        assert answer.status_code == 404
        assert_fits(answer.json(), refusal("APPROVAL_NOT_FOUND"))
    assert answer_to(caller, delayed, node_id="later").json()["code"] == "APPROVAL_NOT_FOUND"
    unknown, foreign = answer_to(caller, UNKNOWN), answer_to(stranger, execution_id)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "EXECUTION_NOT_FOUND")
    assert unknown.content == foreign.content


def test_a_cancelled_run_asks_nothing_any_more(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())
    assert caller.post(f"/api/executions/{execution_id}/cancel").status_code == 202

    answer = answer_to(caller, execution_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "APPROVAL_NOT_FOUND")
    ended = caller.ended(execution_id)
    assert (ended["status"], ended["waitingFor"]) == ("cancelled", [])
    assert node_of(ended, "ask")["status"] == "cancelled"
    assert execution_id not in caller.get("/api/approvals").text


# -- rights ----------------------------------------------------------------------------------------


@pytest.mark.A106
def test_links_and_answers_are_for_sessions_and_keys_that_may_approve(
    administration: Administration,
) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    may = administration.with_key(administration.key(account, "execution:approve"))
    narrow = ("workflow:*", "execution:read", "webhook:receive")
    others = [administration.with_key(administration.key(account, *narrow))]
    others.append(administration.with_key(administration.old_key(account, "execution:*")))
    execution_id = begin(browser, asking_person())

    [entry] = waits_of(browser, execution_id)
    assert is_link(entry["url"])
    assert waits_of(may, execution_id) == [entry]
    for other in others:
        shown = dict(entry)
        del shown["url"]
        assert waits_of(other, execution_id) == [shown]
        for refused in (answer_to(other, execution_id), other.get("/api/approvals")):
            assert refused.status_code == 403
            denied = refusal("CAPABILITY_DENIED", required="execution:approve")
            assert_fits(refused.json(), denied)
    forged = browser.client.post(
        f"/api/executions/{execution_id}/approvals/ask",
        json=ANSWER,
        headers={"origin": "https://evil.example"},
    )
    assert (forged.status_code, forged.json()["code"]) == (403, "CSRF_FAILED")
    assert answer_to(may, execution_id).status_code == 200


def test_answers_are_in_the_audit_log(administration: Administration, admin: Caller) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    execution_id = begin(browser, asking_person())
    answer = answer_to(browser, execution_id, {"decision": "refuse", "note": "a secret note"})

    listed = admin.get("/api/admin/audit").json()["rows"]

    [entry] = [each for each in listed if each["subject"] == f"{execution_id}/ask"]
    assert (entry["action"], entry["by"]) == ("approval.refuse", account)
    assert entry["after"] == answer.json()["by"]
    assert "a secret note" not in json.dumps(entry)


# -- the list --------------------------------------------------------------------------------------


def test_the_list_has_what_waits_for_an_answer_newest_first(
    administration: Administration,
) -> None:
    caller = administration.caller("business")
    ids = [begin(caller, asking_person(), f"run {each}") for each in range(3)]
    begin(caller, delaying(seconds=3_600))

    first = caller.get("/api/approvals", params={"limit": 2}).json()
    rest = caller.get("/api/approvals", params={"limit": 2, "cursor": first["nextCursor"]}).json()

    shape = {
        "executionId": uuid,
        "rootId": None,
        "nodeId": "ask",
        "workflowSlug": str,
        "title": str,
        "message": str,
        "fields": [dict],
        "since": moment,
        "until": moment,
        "url": is_link,
    }
    assert_fits(first["rows"], [shape])
    rows = first["rows"] + rest["rows"]
    assert rest["nextCursor"] is None
    assert [each["executionId"] for each in rows] == ids[::-1]
    assert rows[0]["title"] == "Post for run 2?"
    assert rows[0]["workflowSlug"] == caller.execution(ids[2])["workflowSlug"]
    assert [each["name"] for each in rows[0]["fields"]] == [each["name"] for each in FIELDS]
    answer_to(caller, ids[1])
    left = caller.get("/api/approvals").json()["rows"]
    assert [each["executionId"] for each in left] == [ids[2], ids[0]]
    for wrong in ("limit=201", "limit=0", "cursor=x"):
        refused = caller.get(f"/api/approvals?{wrong}")
        assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_QUERY")
