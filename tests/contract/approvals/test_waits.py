"""Runs that wait: what callers see of them, and what ends, outlives and repeats a wait."""

import json
import uuid as uuids
from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.approvals import (
    ANSWER,
    ASKED,
    FIELDS,
    WEEK_SECONDS,
    answer_to,
    asking_person,
    begin,
    delaying,
    is_link,
    node_of,
    seconds_of,
    waits_of,
)
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, sentence, uuid
from tests.support.factories import Graph
from tests.support.graphs.nested_graphs import calling, per_item
from tests.support.http.target import Stub

APPROVAL = {**ASKED, "url": is_link}


@pytest.fixture
def failing(stub: Stub) -> str:
    """A path that answers with 500 until the test gives it a value."""
    return f"/status/500/{uuids.uuid4()}"


def beside(url: str) -> Graph:
    """An approval, beside a call of `url` after half a second → both at the output."""
    graph = asking_person(fields=[]).node("later", "delay", seconds=0.5)
    graph.node("call", "httpRequest", url=url, method="POST")
    graph.nodes[2]["data"]["fields"].append({"name": "called"})
    return graph.wire(
        *("in.who > later.value-in", "later.value-out > call.body-in"),
        "call.response-out > out.called",
    )


# -- what is shown ---------------------------------------------------------------------------------


def test_a_run_says_who_is_asked_for_what(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())

    shown = caller.execution(execution_id)

    assert (shown["status"], node_of(shown, "ask")["status"]) == ("processing", "waiting")
    [entry] = shown["waitingFor"]
    assert_fits(entry, APPROVAL)
    assert seconds_of(entry) == WEEK_SECONDS
    names = [(each["name"], each["label"], each["type"]) for each in entry["fields"]]
    assert names == [(each["name"], each["label"], each["type"]) for each in FIELDS]
    assert [each.get("default") for each in entry["fields"]] == [None, 2, None, None]


def test_other_branches_go_on_while_a_node_waits(caller: Caller, stub: Stub) -> None:
    execution_id = caller.start(caller.save(beside(stub.url).body()), {"who": "Ada"})
    waits_of(caller, execution_id, 2)

    def called() -> Any:
        return node_of(caller.execution(execution_id), "call")["status"]

    until(called, lambda status: status == "completed")
    assert len(caller.execution(execution_id)["waitingFor"]) == 1
    answer_to(caller, execution_id, {"decision": "approve"})
    assert caller.ended(execution_id)["result"]["yes"] == "Ada"


def test_title_and_message_are_shown_although_no_values_are_recorded(caller: Caller) -> None:
    document = {**asking_person().body(), "recordValues": "none"}
    execution_id = caller.start(caller.save(document), {"who": "Ada"})

    [entry] = waits_of(caller, execution_id)

    assert (entry["title"], entry["message"]) == ("Post for Ada?", "It says: Ada")
    assert answer_to(caller, execution_id).status_code == 200
    assert caller.ended(execution_id)["result"]["yes"] == "Ada"
    values = caller.get(f"/api/executions/{execution_id}/nodes/ask").json()
    assert (values["inputs"], values["outputs"]) == (None, None)


def test_what_only_waits_is_not_active(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro"))

    def active() -> Any:
        return browser.get("/api/me").json()["limits"]["active"]["used"]

    ids = [begin(browser, asking_person()), begin(browser, delaying(seconds=3_600))]

    until(active, lambda used: used == 0)
    listed = browser.get("/api/executions?status=processing").json()["rows"]
    assert {each["executionId"] for each in listed} == set(ids)
    cancelled = browser.post("/api/executions/cancel", {"status": "processing"})
    assert cancelled.json()["cancelled"] == 2


def test_a_run_of_anothers_public_workflow_does_not_tell_that_it_waits(
    caller: Caller, stranger: Caller
) -> None:
    called = caller.save(delaying(seconds=0.7).body())
    for graph in (delaying(seconds=0.7), calling(called)):
        slug = caller.save({**graph.body(), "publicPlayground": True})
        execution_id = stranger.start(slug, {"who": "Ada"})
        seen = []
        while not seen or seen[-1]["status"] == "processing":
            seen.append(stranger.execution(execution_id))
        assert seen[-1]["result"] == "Ada"
        assert len(seen) > 5
        assert [each["waitingFor"] for each in seen] == [[]] * len(seen)
    assert stranger.get("/api/approvals").json()["rows"] == []


# -- ends ------------------------------------------------------------------------------------------


def test_a_failure_elsewhere_ends_a_wait(caller: Caller, stub: Stub, failing: str) -> None:
    execution_id = caller.start(caller.save(beside(stub.url + failing).body()), {"who": "Ada"})
    waits_of(caller, execution_id, 2)

    ended = caller.ended(execution_id)

    assert (ended["status"], ended["error"]["nodeId"]) == ("failed", "call")
    assert (ended["waitingFor"], node_of(ended, "ask")["status"]) == ([], "cancelled")
    answer = answer_to(caller, execution_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "APPROVAL_NOT_FOUND")


@pytest.mark.parametrize("is_below", [False, True])
def test_a_retry_asks_nobody_again(
    caller: Caller, stub: Stub, failing: str, is_below: bool
) -> None:
    graph = asking_person(fields=[]).node("later", "delay", seconds=0.5)
    graph.node("call", "httpRequest", url=stub.url + failing, method="POST")
    graph.nodes[2]["data"]["fields"].append({"name": "called"})
    graph.wire(
        *("ask.approved-out > later.value-in", "later.value-out > call.body-in"),
        "call.response-out > out.called",
    )
    root_id = begin(caller, calling(caller.save(graph.body())) if is_below else graph)
    [entry] = waits_of(caller, root_id)
    asked_id = entry.get("executionId", root_id)
    given = answer_to(caller, asked_id, {"decision": "approve", "note": "Yes"}).json()
    assert caller.ended(root_id)["status"] == "failed"
    stub.give(failing, "done")

    retried_id = caller.post(f"/api/executions/{root_id}/retry").json()["executionId"]

    ended = caller.ended(retried_id)
    assert (ended["status"], ended["result"]["answer"]) == ("completed", given)
    assert ended["result"]["called"] == "done"
    if is_below:
        ended = caller.execution(node_of(ended, "call")["childExecutionIds"][0])
    assert [node_of(ended, each)["attempts"] for each in ("ask", "later")] == [0, 0]


# -- children and drafts ---------------------------------------------------------------------------


def test_a_run_has_the_waits_of_the_runs_below_it(caller: Caller) -> None:
    called = caller.save(asking_person().body())
    root_id = begin(caller, calling(called))

    [entry] = waits_of(caller, root_id)

    assert_fits(entry, {**APPROVAL, "executionId": uuid})
    child_id = entry["executionId"]
    child = caller.execution(child_id)
    assert (child["rootId"], child["source"]) == (root_id, "sub")
    assert child["waitingFor"] == [{name: entry[name] for name in APPROVAL}]
    [row] = [
        each
        for each in caller.get("/api/approvals").json()["rows"]
        if each["executionId"] == child_id
    ]
    assert (row["rootId"], row["workflowSlug"]) == (root_id, called)
    assert answer_to(caller, root_id).status_code == 404
    assert answer_to(caller, child_id).status_code == 200
    assert caller.ended(root_id)["result"]["yes"] == "Ada"


def test_each_item_of_a_list_may_ask(caller: Caller) -> None:
    root_id = caller.start(
        caller.save(per_item(asking_person(fields=[])).body()), {"items": ["a", "b", "c"]}
    )
    entries = waits_of(caller, root_id, 3)

    assert {each["title"] for each in entries} == {f"Post for {item}?" for item in "abc"}
    for entry in entries:
        decision = "refuse" if entry["title"] == "Post for b?" else "approve"
        answer = answer_to(caller, entry["executionId"], {"decision": decision})
        assert answer.status_code == 200, answer.text
    results = caller.ended(root_id)["result"]["results"]
    assert [each["yes"] for each in results] == ["a", None, "c"]


def test_a_cancelled_run_ends_the_waits_below_it(caller: Caller) -> None:
    root_id = begin(caller, calling(caller.save(asking_person().body())))
    [entry] = waits_of(caller, root_id)

    assert caller.post(f"/api/executions/{root_id}/cancel").status_code == 202

    answer = answer_to(caller, entry["executionId"])
    assert (answer.status_code, answer.json()["code"]) == (404, "APPROVAL_NOT_FOUND")
    assert entry["executionId"] not in caller.get("/api/approvals").text
    assert caller.ended(root_id)["waitingFor"] == []


def test_an_approval_of_a_draft_is_answered_like_others(caller: Caller) -> None:
    slug = caller.save(delaying(seconds=0).body())
    saved = caller.put(f"/api/workflows/{slug}/draft", asking_person().body())
    assert saved.json()["problems"] == []
    run = caller.post(f"/api/workflows/{slug}/draft/run?async=true", {"inputs": {"who": "Ada"}})
    execution_id = run.json()["executionId"]
    [entry] = waits_of(caller, execution_id)

    assert_fits(entry, APPROVAL)
    assert answer_to(caller, execution_id).status_code == 200
    assert caller.ended(execution_id)["result"]["yes"] == "Ada"


# -- time-outs -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_time_to_answer_that_is_up_does_what_the_node_says(caller: Caller) -> None:
    ids = {
        each: begin(caller, asking_person(timeoutSeconds=60, onTimeout=each))
        for each in ("fail", "refuse", "approve")
    }
    ended = {each: caller.ended(ids[each], 120) for each in ids}

    failed = node_of(ended["fail"], "ask")
    assert (ended["fail"]["status"], failed["error"]["code"]) == ("failed", "approval_timeout")
    assert_fits(failed["error"]["message"], sentence)
    for each in ("refuse", "approve"):
        answer = ended[each]["result"]["answer"]
        known = {"decision": each, "fields": {}, "note": None, "by": {"kind": "timeout"}}
        assert_fits(answer, {**known, "at": moment})
        late = answer_to(caller, ids[each], ANSWER)
        assert (late.status_code, late.json()["decision"]) == (409, each)
    late = answer_to(caller, ids["fail"], ANSWER)
    assert (late.status_code, late.json()["code"]) == (404, "APPROVAL_NOT_FOUND")


# -- limits ----------------------------------------------------------------------------------------


def test_an_account_has_ten_thousand_runs_that_wait(administration: Administration) -> None:
    account = administration.account("pro")
    caller = administration.with_key(administration.key(account))
    slug = caller.save(asking_person().body())
    administration.pretend_waits(account, 9_999)
    waits_of(caller, caller.start(slug, {"who": "Ada"}))

    answer = caller.run(slug, {"who": "Eve"})

    assert (answer.status_code, answer.json()["nodeCode"]) == (500, "too_many_waits")
    assert_fits(answer.json()["reason"], sentence)


def test_a_repeated_request_finds_the_run_that_waits_and_its_end(caller: Caller) -> None:
    slug, key = caller.save(asking_person().body()), {"idempotency-key": str(uuids.uuid4())}

    def ask() -> Any:
        return caller.run(slug, {"who": "Ada"}, "?async=true", headers=key).json()["executionId"]

    execution_id = ask()
    waits_of(caller, execution_id)
    assert ask() == execution_id
    answer_to(caller, execution_id)
    caller.ended(execution_id)
    assert ask() == execution_id


def test_links_of_an_execution_are_in_no_other_answer(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())
    [entry] = waits_of(caller, execution_id)
    token = entry["url"].partition("/approvals/")[2]

    slug = caller.execution(execution_id)["workflowSlug"]
    for path in (
        f"/api/executions?workflowSlug={slug}",
        f"/api/executions/{execution_id}/nodes/ask",
        f"/api/workflows/{slug}",
    ):
        assert token not in json.dumps(caller.get(path).json())
