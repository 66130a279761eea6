"""Waits are told in streams, in events of the account, and to webhooks: with links by right."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.approvals import (
    ASKED,
    answer_to,
    asking_person,
    begin,
    delaying,
    is_link,
    waits_of,
)
from tests.support.contract.event_streams import STREAM, events_of
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, uuid
from tests.support.contract.webhooks import OWN_SECRET, RUNNING, Owner, new_owners
from tests.support.graphs.nested_graphs import calling
from tests.support.http.sse_reader import SentEvent, named, parse
from tests.support.http.target import Stub

WAITING = "execution.waiting"


@pytest.fixture
def owner(administration: Administration, stub: Stub) -> Iterator[Owner]:
    yield from new_owners(administration, stub)


@pytest.fixture
def approver(owner: Owner, administration: Administration) -> Caller:
    """A key of the owner's account that may answer approvals."""
    capabilities = ["workflow:*", "webhook:receive", "execution:approve"]
    made = owner.browser.post("/api/api-keys", {"name": "a", "capabilities": capabilities})
    return administration.with_key(made.json()["key"])


def told(owner: Owner, path: str) -> dict[str, Any]:
    """Return a webhook for waits and ends that leads to a path of the stub."""
    events = [WAITING, "execution.completed"]
    return {"url": owner.stub.url + path, "secret": OWN_SECRET, "events": events}


def run_with(caller: Caller, slug: str, webhook: Any) -> str:
    """Begin a run with a webhook of its own; return its id."""
    body = {"inputs": {"who": "Ada"}, "webhook": webhook}
    answer = caller.post(f"/api/workflows/{slug}/run?async=true", body)
    assert answer.status_code == 202, answer.text
    execution_id: str = answer.json()["executionId"]
    return execution_id


def hooked(owner: Owner, path: str) -> Any:
    """Return the entry of the wait of which a webhook is told, and check the rest of its body."""
    body = json.loads(owner.received(path)[0].body)
    assert_fits(body, {**RUNNING, "event": WAITING, "waiting": dict})
    return body["waiting"]


# -- streams ---------------------------------------------------------------------------------------


def test_a_stream_tells_once_that_a_node_waits_without_a_link(caller: Caller) -> None:
    slug, seen, execution_id = caller.save(asking_person().body()), "", ""
    path, body = f"/api/workflows/{slug}/run", {"inputs": {"who": "Ada"}}
    with caller.client.stream("POST", path, json=body, headers=STREAM) as answer:
        for text in answer.iter_text():
            seen += text
            if not execution_id and WAITING in seen:
                execution_id = parse(seen)[0].data["executionId"]
                assert answer_to(caller, execution_id).status_code == 200
    events = parse(seen)

    [waiting] = named(events, WAITING)
    assert_fits(waiting, {"executionId": execution_id, **ASKED})
    names = [each.name for each in events if each.data.get("nodeId") == "ask"]
    assert names == ["node.started", WAITING, "node.finished"]
    assert events[-1].data["result"]["yes"] == "Ada"
    assert named(events_of(caller, execution_id), WAITING) == [waiting]


def test_later_watchers_are_told_of_open_waits_and_resume_after_them(caller: Caller) -> None:
    execution_id = begin(caller, asking_person())

    first = _until_waiting(caller, execution_id)
    assert_fits(first[-1].data, {"executionId": execution_id, **ASKED})
    assert answer_to(caller, execution_id).status_code == 200
    caller.ended(execution_id)
    rest = events_of(caller, execution_id, first[-1].id)

    assert named(rest, WAITING) == []
    assert rest[-1].name == "execution.finished"


def test_later_watchers_are_told_of_the_open_waits_below(caller: Caller) -> None:
    root_id = begin(caller, calling(caller.save(asking_person().body())))
    [entry] = waits_of(caller, root_id)

    waiting = _until_waiting(caller, root_id)[-1].data

    below = {"executionId": root_id, "childExecutionId": entry["executionId"]}
    assert_fits(waiting, {**below, **ASKED})


def _until_waiting(caller: Caller, execution_id: str) -> list[SentEvent]:
    seen = ""
    with caller.client.stream("GET", f"/api/executions/{execution_id}/events") as answer:
        for text in answer.iter_text():
            seen += text
            if WAITING in [each.name for each in parse(seen)]:
                break
    return parse(seen)


def test_a_delay_is_told_too(caller: Caller) -> None:
    execution_id = begin(caller, delaying(seconds=86_400))

    waiting = _until_waiting(caller, execution_id)[-1].data

    delay = {"nodeId": "later", "kind": "delay", "since": moment, "until": moment}
    assert_fits(waiting, {"executionId": execution_id, **delay})


# -- events of the account -------------------------------------------------------------------------


def test_the_account_is_told_of_the_waits_of_its_runs_and_below_them(
    owner: Owner, approver: Caller
) -> None:
    asking = owner.caller.save(asking_person().body())
    slug = owner.caller.save(calling(asking).body())
    seen, root_id = "", ""
    with owner.browser.client.stream("GET", "/api/events", timeout=30) as answer:
        for text in answer.iter_text():
            seen += text
            root_id = root_id or owner.caller.start(slug, {"who": "Ada"})
            if named(parse(seen), WAITING):
                break

    [told_of] = named(parse(seen), WAITING)
    [entry] = waits_of(owner.caller, root_id)
    assert told_of["waiting"] == entry
    assert_fits(entry, {**ASKED, "executionId": uuid})
    assert (told_of["id"], told_of["executionId"]) == (root_id, root_id)
    assert (told_of["status"], told_of["workflowSlug"]) == ("processing", slug)
    assert answer_to(approver, entry["executionId"]).status_code == 200


# -- webhooks --------------------------------------------------------------------------------------


def test_the_webhook_of_a_run_gets_the_link_by_the_right_of_its_setter(
    owner: Owner, approver: Caller
) -> None:
    slug = owner.caller.save(asking_person().body())
    with_link = {**ASKED, "url": is_link}
    for caller, path, shape in (
        (owner.caller, "/by-key", ASKED),
        (approver, "/by-approver", with_link),
        (owner.browser, "/by-session", with_link),
    ):
        execution_id = run_with(caller, slug, told(owner, path))
        assert_fits(hooked(owner, path), shape)
        if "url" in shape:
            [entry] = waits_of(approver, execution_id)
            assert hooked(owner, path)["url"] == entry["url"]
        assert answer_to(approver, execution_id).status_code == 200
        bodies = [json.loads(each.body) for each in owner.received(path, 2)]
        assert sorted((each["sequence"], each["event"]) for each in bodies) == [
            (1, WAITING),
            (2, "execution.completed"),
        ]


def test_the_webhook_of_a_key_is_told_if_it_asks_for_it(owner: Owner, approver: Caller) -> None:
    slug = owner.caller.save(asking_person().body())
    owner.set("/ends")
    quiet = owner.caller.start(slug, {"who": "Ada"})
    owner.set("/asked", events=[WAITING])
    loud = owner.caller.start(slug, {"who": "Ada"})

    assert_fits(hooked(owner, "/asked"), {**ASKED, "url": is_link})

    for each in (quiet, loud):
        waits_of(owner.caller, each)
        assert answer_to(approver, each).status_code == 200
    assert json.loads(owner.received("/ends")[0].body)["event"] == "execution.completed"
    assert len(owner.stub.at("/ends")) == 1
    [delivery] = owner.caller.get(f"/api/deliveries?executionId={loud}").json()["rows"]
    assert delivery["event"] == WAITING


def test_the_webhook_of_a_run_is_told_of_waits_below_it(owner: Owner) -> None:
    slug = owner.caller.save(calling(owner.caller.save(asking_person().body())).body())

    root_id = run_with(owner.browser, slug, told(owner, "/below"))

    entry = hooked(owner, "/below")
    assert_fits(entry, {**ASKED, "executionId": uuid, "url": is_link})
    assert json.loads(owner.received("/below")[0].body)["executionId"] == root_id
    [seen] = waits_of(owner.browser, root_id)
    assert seen == entry


def test_the_webhook_of_a_trigger_has_the_right_of_its_setter(
    owner: Owner, approver: Caller
) -> None:
    slug = owner.caller.save(asking_person().body())
    body = {"kind": "schedule", "workflowSlug": slug, "cron": "@yearly", "inputs": {"who": "Ada"}}
    for caller, path, shape in (
        (owner.caller, "/trigger-of-key", ASKED),
        (owner.browser, "/trigger-of-session", {**ASKED, "url": is_link}),
    ):
        made = caller.post("/api/triggers", {**body, "name": path, "webhook": told(owner, path)})
        assert made.status_code == 201, made.text
        run = caller.post(f"/api/triggers/{made.json()['id']}/run")
        assert run.status_code == 202, run.text
        assert_fits(hooked(owner, path), shape)
        assert answer_to(approver, run.json()["executionId"]).status_code == 200


def test_items_of_batches_tell_nobody_that_they_wait(owner: Owner, approver: Caller) -> None:
    slug = owner.caller.save(asking_person().body())
    owner.set("/key-of-batch", events=[WAITING])
    webhook = {"url": owner.stub.url + "/batch", "secret": OWN_SECRET}
    body = {"items": [{"inputs": {"who": "Ada"}}], "webhook": webhook}

    batch_id = owner.caller.post(f"/api/workflows/{slug}/batch", body).json()["batchId"]
    path = f"/api/executions?batchId={batch_id}"
    [row] = until(lambda: owner.caller.get(path).json()["rows"], lambda rows: len(rows) == 1)
    waits_of(owner.caller, row["executionId"])
    assert answer_to(approver, row["executionId"]).status_code == 200

    assert json.loads(owner.received("/batch")[0].body)["event"] == "batch.completed"
    assert owner.stub.at("/key-of-batch") == []
