"""Waits as they are told: in streams, in the events of an account, and to webhooks."""

import json
from typing import Any

import pytest

from tests.contract.webhooks.conftest import owner as owner  # the fixture
from tests.support.acceptance.running_stack import until
from tests.support.contract.approvals import answer_to, asking_person, begin, delaying, waits_of
from tests.support.contract.event_streams import STREAM
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.webhooks import OWN_SECRET, Owner
from tests.support.graphs.nested_graphs import calling
from tests.support.http.sse_reader import named, parse

WAITING = "execution.waiting"


def without_link(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "url"}


def body_at(owner: Owner, path: str) -> Any:
    """Return the body of the one request for a path."""
    [request] = owner.received(path)
    return json.loads(request.body)


def test_a_stream_tells_once_of_each_wait_without_its_link(caller: Caller) -> None:
    slug = caller.save(calling(caller.save(asking_person().body())).body())
    text, entry = "", {}
    body = {"inputs": {"who": "Ada"}}
    path = f"/api/workflows/{slug}/run"
    with caller.client.stream("POST", path, json=body, headers=STREAM, timeout=20) as stream:
        for piece in stream.iter_text():
            text += piece
            told = named(parse(text), WAITING)
            if told and not entry:
                [entry] = waits_of(caller, told[0]["executionId"])
                assert answer_to(caller, entry["executionId"]).status_code == 200
    events = parse(text)

    [told] = named(events, WAITING)

    child_id = entry.pop("executionId")
    root_id = events[0].data["executionId"]
    place = {"executionId": root_id, "childExecutionId": child_id}
    assert told == {**place, **without_link(entry)}
    assert (events[-1].name, events[-1].data["status"]) == ("execution.finished", "completed")


def test_the_events_of_an_account_have_each_wait_once(browser: Caller) -> None:
    text = ""
    with browser.client.stream("GET", "/api/events", timeout=20) as stream:
        execution_id = ""
        for piece in stream.iter_text():
            text += piece
            execution_id = execution_id or begin(browser, asking_person())
            if named(parse(text), WAITING):
                break
    [entry] = waits_of(browser, execution_id)

    [told] = named(parse(text), WAITING)

    assert told["executionId"] == execution_id
    assert told["waiting"] == without_link(entry)


@pytest.mark.parametrize("may_approve", [True, False])
def test_the_webhook_of_a_run_gets_a_link_if_its_key_may_approve(
    administration: Administration, owner: Owner, may_approve: bool
) -> None:
    account = owner.browser.get("/api/whoami").json()["user"]["id"]
    held = ("workflow:*", "webhook:receive", *(["execution:approve"] if may_approve else []))
    caller = administration.with_key(administration.key(account, *held))
    slug, path = caller.save(asking_person().body()), f"/run/{may_approve}"
    webhook = {"url": owner.stub.url + path, "secret": OWN_SECRET, "events": [WAITING]}
    run = {"inputs": {"who": "Ada"}, "webhook": webhook}
    answer = caller.post(f"/api/workflows/{slug}/run?async=true", run)
    execution_id = answer.json()["executionId"]
    [entry] = waits_of(owner.browser, execution_id)

    body = body_at(owner, path)

    assert (body["event"], body["executionId"]) == (WAITING, execution_id)
    assert (body["status"], body["completedAt"], body["sequence"]) == ("processing", None, 1)
    assert without_link(body["waiting"]) == without_link(entry)
    assert body["waiting"].get("url") == (entry["url"] if may_approve else None)
    [row] = owner.browser.get(f"/api/deliveries?executionId={execution_id}").json()["rows"]
    assert row["event"] == WAITING


def test_the_webhook_of_a_key_is_told_of_waits_that_it_asks_for(owner: Owner) -> None:
    slug = owner.caller.save(asking_person().body())
    owner.set("/ends")
    untold = owner.caller.start(slug, {"who": "Eve"})
    waits_of(owner.browser, untold)
    owner.set("/waits", events=[WAITING, "execution.cancelled"])
    execution_id = owner.caller.start(slug, {"who": "Ada"})
    [entry] = waits_of(owner.browser, execution_id)

    body = body_at(owner, "/waits")

    assert (body["executionId"], body["waiting"]) == (execution_id, entry)
    owner.caller.post(f"/api/executions/{execution_id}/cancel")
    until(lambda: len(owner.stub.at("/waits")), lambda count: count == 2)
    owner.caller.post(f"/api/executions/{untold}/cancel")
    told = json.loads(owner.received("/ends")[0].body)
    assert told["event"] == "execution.cancelled"


def test_a_delay_is_told_without_a_question(owner: Owner) -> None:
    slug = owner.caller.save(delaying(seconds=3_600).body())
    owner.set("/delays", events=[WAITING])
    execution_id = owner.caller.start(slug, {"who": "Ada"})
    [entry] = waits_of(owner.browser, execution_id)

    assert body_at(owner, "/delays")["waiting"] == entry
    assert entry.keys() == {"nodeId", "kind", "since", "until"}
