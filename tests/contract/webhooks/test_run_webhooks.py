"""Webhooks of single runs: their checks, events and bodies, and the deliveries of an account."""

import json
import uuid as uuids
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller, failing, never
from tests.support.contract.shapes import assert_fits, number, sentence
from tests.support.contract.webhooks import DELIVERY, EVENT, OWN_SECRET, RUNNING, Owner
from tests.support.gateway.documents import greeting
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.target import Request

ROUTES = {
    "GET /api/deliveries": "execution:read",
    "POST /api/deliveries/{delivery_id}/redeliver": "webhook:receive",
}
SECRET = "the secret of this one run"
EVENTS = [
    "execution.started",
    "node.finished",
    "execution.completed",
    "execution.failed",
    "execution.cancelled",
]
NODE = {
    "id": str,
    "type": str,
    "status": str,
    "creditsCost": number,
    "durationMs": int,
    "error": None,
}


def told(owner: Owner, path: str, **more: Any) -> dict[str, Any]:
    """Return a webhook that leads to a path of the stub."""
    return {"url": owner.stub.url + path, "secret": SECRET, **more}


def bodies(requests: list[Request]) -> list[Any]:
    """Return the bodies by their sequence."""
    return sorted((json.loads(each.body) for each in requests), key=lambda each: each["sequence"])


def own_rows(owner: Owner, execution_id: str, query: str = "") -> Any:
    answer = owner.browser.get(f"/api/deliveries?executionId={execution_id}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


@pytest.mark.parametrize("query", ["", "?async=true"])
def test_the_webhook_of_a_run_is_told_of_its_end_in_place_of_the_keys(
    owner: Owner, query: str
) -> None:
    owner.set("/key")
    slug = owner.caller.save(greeting())

    answer = owner.run(slug, told(owner, f"/end{len(query)}"), query, tags=["a", "b"])

    assert answer.status_code == (202 if query else 200)
    (request,) = owner.received(f"/end{len(query)}")
    event = json.loads(request.body)
    shape = {**EVENT, "tags": [str], "sequence": 1, "result": {"text": "Hello Eve"}}
    assert_fits(event, shape)
    assert event["tags"] == ["a", "b"]
    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)
    assert owner.stub.at("/key") == []
    if query:
        url = owner.stub.url + f"/end{len(query)}"
        assert answer.json()["webhookDelivery"] == {"configured": True, "url": url}
    execution = owner.caller.execution(event["executionId"])
    assert execution["deliveries"] == [{"id": event["executionId"], "keyId": None}]


def test_a_run_that_streams_is_told_too(owner: Owner) -> None:
    slug = owner.caller.save(greeting())
    body = {"inputs": {"name": "Eve"}, "webhook": told(owner, "/streamed")}
    accept = {"accept": "text/event-stream"}

    answer = owner.caller.post(f"/api/workflows/{slug}/run", body, headers=accept)

    assert "execution.finished" in answer.text
    assert bodies(owner.received("/streamed"))[0]["event"] == "execution.completed"


def test_a_run_of_a_model_is_told_too(owner: Owner) -> None:
    body = {"inputs": {"prompt": "Eve"}, "webhook": told(owner, "/of-a-model")}

    answer = owner.caller.post("/api/models/echo/run", body)

    assert answer.status_code == 200
    (event,) = bodies(owner.received("/of-a-model"))
    assert (event["workflowSlug"], event["modelIds"], event["sequence"]) == (None, ["echo"], 1)


def test_a_wait_that_runs_out_names_the_webhook_of_the_run(owner: Owner) -> None:
    slug = owner.caller.save(never())

    answer = owner.run(slug, told(owner, "/late"), "?timeout=0.5")

    assert answer.status_code == 202
    url = owner.stub.url + "/late"
    assert answer.json()["webhookDelivery"] == {"configured": True, "url": url}
    execution_id = answer.json()["executionId"]
    owner.caller.post(f"/api/executions/{execution_id}/cancel")
    (event,) = bodies(owner.received("/late"))
    assert event["event"] == "execution.cancelled"


def test_a_run_is_told_from_its_start_over_its_nodes_to_its_end(owner: Owner) -> None:
    slug = owner.caller.save(greeting())

    execution_id = owner.run(slug, told(owner, "/all", events=EVENTS), tags=["x"]).json()[
        "executionId"
    ]

    requests = owner.received("/all", 5)
    events = bodies(requests)
    names = ["execution.started", *["node.finished"] * 3, "execution.completed"]
    assert [each["event"] for each in events] == names
    assert [each["sequence"] for each in events] == [1, 2, 3, 4, 5]
    assert_fits(events[0], {**RUNNING, "event": str})
    nodes = owner.caller.execution(execution_id)["nodes"]
    for event in events[1:4]:
        assert_fits(event, {**RUNNING, "event": str, "node": NODE})
    shown = {each["id"]: (each["type"], each["status"], each["creditsCost"]) for each in nodes}
    facts = [each["node"] for each in events[1:4]]
    assert {each["id"]: (each["type"], each["status"], each["creditsCost"]) for each in facts} == (
        shown
    )
    assert {each["executionId"] for each in events} == {execution_id}
    assert len({each.headers["webhook-id"] for each in requests}) == 5
    for each in requests:
        Webhook(
            SECRET.encode(),
        ).verify(each.body.decode(), each.headers)


def test_a_node_that_fails_is_told_with_its_error_before_the_end(owner: Owner) -> None:
    slug = owner.caller.save(failing())
    events = ["node.finished", "execution.failed"]

    answer = owner.caller.post(
        f"/api/workflows/{slug}/run",
        {"inputs": {}, "webhook": told(owner, "/failing", events=events)},
    )

    assert answer.status_code == 500
    first, second, last = bodies(owner.received("/failing", 3))
    assert (first["node"]["id"], first["node"]["error"]) == ("text", None)
    assert (second["node"]["id"], second["node"]["status"]) == ("sum", "failed")
    assert_fits(second["node"]["error"], {"code": str, "message": str})
    assert (last["event"], "result" in last) == ("execution.failed", False)


def test_an_event_that_it_does_not_ask_for_is_not_sent(owner: Owner) -> None:
    slug = owner.caller.save(greeting())

    execution_id = owner.run(slug, told(owner, "/not-asked", events=["execution.failed"])).json()[
        "executionId"
    ]
    owner.run(slug, told(owner, "/asked"))

    owner.received("/asked")
    assert owner.stub.at("/not-asked") == []
    assert own_rows(owner, execution_id) == []
    assert owner.caller.execution(execution_id)["deliveries"] == []


@pytest.mark.parametrize(
    ("webhook", "field"),
    [
        ("https://example.org/", "webhook"),
        ([], "webhook"),
        ({}, "webhook.url"),
        ({"url": 1}, "webhook.url"),
        ({"url": "ftp://example.org/"}, "webhook.url"),
        ({"url": "https://user:pass@example.org/"}, "webhook.url"),
        ({"url": "https://example.org/", "secret": "short"}, "webhook.secret"),
        ({"url": "https://example.org/", "secret": 7}, "webhook.secret"),
        ({"url": "https://example.org/", "secret": "whsec_no base64!"}, "webhook.secret"),
        ({"url": "https://example.org/", "secret": SECRET, "events": []}, "webhook.events"),
        ({"url": "https://example.org/", "secret": SECRET, "events": "x"}, "webhook.events"),
        ({"url": "https://example.org/", "secret": SECRET, "events": ["x"]}, "webhook.events"),
        (
            {"url": "https://example.org/", "secret": SECRET, "events": ["execution.left"]},
            "webhook.events",
        ),
        ({"url": "https://example.org/", "secret": SECRET, "event": "x"}, "webhook.event"),
        ({"url": "https://example.org/"}, "webhook.secret"),
    ],
)
@pytest.mark.parametrize("path", ["/api/workflows/{slug}/run", "/api/models/echo/run"])
def test_a_wrong_webhook_is_refused_by_name(
    owner: Owner, webhook: Any, field: str, path: str
) -> None:
    slug = owner.caller.save(greeting())

    answer = owner.caller.post(path.format(slug=slug), {"inputs": {}, "webhook": webhook})

    assert answer.status_code == 400
    expected = {"error": sentence, "code": "INVALID_WEBHOOK", "field": field, "reason": sentence}
    assert_fits(answer.json(), expected)


def test_no_webhook_is_none(owner: Owner) -> None:
    slug = owner.caller.save(greeting())

    answer = owner.run(slug, None, "?async=true")

    assert answer.json()["webhookDelivery"] == {"configured": False}


def test_a_key_without_the_capability_names_no_webhook(administration: Administration) -> None:
    caller = administration.caller("business", "workflow:*")
    slug = caller.save(greeting())
    webhook = {"url": "https://example.org/", "secret": SECRET}

    body = {"inputs": {"name": "Eve"}, "webhook": webhook}
    answer = caller.post(f"/api/workflows/{slug}/run", body)

    assert answer.status_code == 403
    required = {"code": "CAPABILITY_DENIED", "required": "webhook:receive"}
    assert_fits(answer.json(), {"error": sentence, **required})


def test_a_session_names_a_webhook_with_a_secret_alone(owner: Owner) -> None:
    slug = owner.browser.save(greeting())
    path, inputs = f"/api/workflows/{slug}/run", {"name": "Eve"}
    webhook = told(owner, "/of-a-session")

    answer = owner.browser.post(path, {"inputs": inputs, "webhook": webhook})
    refused = owner.browser.post(path, {"inputs": inputs, "webhook": {"url": webhook["url"]}})

    assert answer.status_code == 200
    (request,) = owner.received("/of-a-session")
    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)
    assert (refused.status_code, refused.json()["field"]) == (400, "webhook.secret")


def test_the_secret_of_the_keys_webhook_signs_for_its_origin(owner: Owner) -> None:
    owner.set("/key/hook", secret=OWN_SECRET)
    slug = owner.caller.save(greeting())

    answer = owner.run(slug, {"url": f"{owner.stub.url}/other/path"})
    other = owner.stub.url.replace("127.0.0.1", "127.0.0.2")
    refused = owner.run(slug, {"url": f"{other}/other/path"})

    assert answer.status_code == 200
    (request,) = owner.received("/other/path")
    assert is_knouds_signed(OWN_SECRET, request.headers["x-knouds-signature"], request.body)
    assert (refused.status_code, refused.json()["field"]) == (400, "webhook.secret")


def test_an_idempotent_replay_delivers_nothing_again(owner: Owner) -> None:
    slug = owner.caller.save(greeting())
    headers = {"idempotency-key": str(uuids.uuid4())}
    body = {
        "inputs": {"name": "Eve"},
        "webhook": told(owner, "/once", events=["execution.started", "execution.completed"]),
    }

    answers = [
        owner.caller.post(f"/api/workflows/{slug}/run", body, headers=headers) for _ in range(3)
    ]

    assert [each.status_code for each in answers] == [200, 200, 200]
    assert len({each.json()["executionId"] for each in answers}) == 1
    owner.run(slug, told(owner, "/after"))
    owner.received("/after")
    assert len(owner.received("/once", 2)) == 2


def test_a_replay_is_answered_although_the_webhook_of_its_key_is_gone(owner: Owner) -> None:
    owner.set("/key")
    slug = owner.caller.save(greeting())
    headers = {"idempotency-key": str(uuids.uuid4())}
    body = {"inputs": {"name": "Eve"}, "webhook": {"url": f"{owner.stub.url}/replayed"}}
    path = f"/api/workflows/{slug}/run"

    first = owner.caller.post(path, body, headers=headers)
    owner.browser.delete(owner.path)
    second = owner.caller.post(path, body, headers=headers)
    without = owner.caller.post(path, body)

    assert (first.status_code, second.status_code, without.status_code) == (200, 200, 400)
    assert first.json()["executionId"] == second.json()["executionId"]


def test_a_410_ends_the_deliveries_of_this_run_and_no_keys_webhook(owner: Owner) -> None:
    owner.set("/key", secret=OWN_SECRET)
    slug = owner.caller.save(never())
    events = ["execution.started", "execution.cancelled"]
    gone = {"url": f"{owner.stub.url}/status/410/gone", "events": events}

    execution_id = owner.run(slug, gone, "?async=true").json()["executionId"]
    until(
        lambda: own_rows(owner, execution_id),
        lambda rows: [each["status"] for each in rows] == ["failed"],
    )
    owner.caller.post(f"/api/executions/{execution_id}/cancel")
    owner.caller.ended(execution_id)
    owner.run(owner.caller.save(greeting()), told(owner, "/410-after"))
    owner.received("/410-after")

    assert len(owner.stub.at("/status/410/gone")) == 1
    assert owner.browser.get(owner.path).json()["enabled"] is True


def test_deliveries_of_the_account_are_listed_with_filters_and_a_cursor(owner: Owner) -> None:
    owner.set("/listed/key")
    slug = owner.caller.save(greeting())
    started = owner.caller.start(slug, {"name": "Eve"})
    events = ["execution.started", "execution.completed"]
    told_id = owner.run(slug, told(owner, "/listed/run", events=events)).json()["executionId"]
    owner.browser.post(f"{owner.path}/test")
    owner.received("/listed/run", 2)
    owner.received("/listed/key", 2)

    def rows(caller: Caller, query: str = "") -> Any:
        answer = caller.get(f"/api/deliveries{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    delivered = until(
        lambda: rows(owner.browser, "?status=delivered")["rows"], lambda found: len(found) == 4
    )
    for row in delivered:
        assert_fits(row, DELIVERY)
    assert [row["executionId"] for row in delivered].count(told_id) == 2
    by_url = {row["url"]: row["keyId"] for row in delivered}
    assert by_url == {
        f"{owner.stub.url}/listed/key": owner.key_id,
        f"{owner.stub.url}/listed/run": None,
    }
    pages, cursor = [], ""
    for _ in range(4):
        page = rows(owner.browser, f"?limit=1{cursor}")
        pages += page["rows"]
        cursor = f"&cursor={page['nextCursor']}"
    assert page["nextCursor"] is None
    assert [row["id"] for row in pages] == [row["id"] for row in rows(owner.browser)["rows"]]
    assert {row["event"] for row in own_rows(owner, told_id)} == set(events)
    assert [row["id"] for row in own_rows(owner, started)] == [started]
    assert own_rows(owner, started, "&status=failed") == []
    by_key = rows(owner.caller)["rows"]
    assert "webhook.test" in {row["event"] for row in delivered}
    assert "webhook.test" not in {row["event"] for row in by_key}
    assert len(by_key) == 3


@pytest.mark.parametrize(
    "query", ["executionId=x", "status=x", "limit=0", "cursor=!", "keyId=x", "executionid=x"]
)
def test_a_wrong_query_of_deliveries_is_refused(owner: Owner, query: str) -> None:
    answer = owner.browser.get(f"/api/deliveries?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")


def test_deliveries_of_another_account_are_as_unknown_as_none(
    owner: Owner, stranger: Caller
) -> None:
    owner.set("/strange")
    execution_id = owner.caller.start(owner.caller.save(greeting()), {"name": "Eve"})
    owner.received("/strange")

    assert stranger.get(f"/api/deliveries?executionId={execution_id}").json()["rows"] == []
    answer = stranger.post(f"/api/deliveries/{execution_id}/redeliver")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_delivery_to_a_keys_webhook_is_sent_again_by_its_id_alone(owner: Owner) -> None:
    owner.set("/again")
    execution_id = owner.caller.start(owner.caller.save(greeting()), {"name": "Eve"})
    owner.delivery("delivered")

    answer = owner.caller.post(f"/api/deliveries/{execution_id}/redeliver")

    assert answer.status_code == 202
    assert_fits(answer.json(), DELIVERY | {"status": "pending"})
    first, second = owner.received("/again", 2)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_delivery_of_a_run_whose_secret_is_forgotten_is_not_sent_again(owner: Owner) -> None:
    slug = owner.caller.save(greeting())
    execution_id = owner.run(slug, told(owner, "/forgotten")).json()["executionId"]
    until(
        lambda: own_rows(owner, execution_id),
        lambda rows: [each["status"] for each in rows] == ["delivered"],
    )

    answer = owner.browser.post(f"/api/deliveries/{execution_id}/redeliver")

    assert answer.status_code == 409
    assert_fits(answer.json(), {"error": sentence, "code": "DELIVERY_NOT_REDELIVERABLE"})


def test_a_delivery_of_a_run_that_goes_on_is_sent_again(owner: Owner) -> None:
    slug = owner.caller.save(never())
    webhook = told(owner, "/goes-on", events=["execution.started", "execution.cancelled"])
    execution_id = owner.run(slug, webhook, "?async=true").json()["executionId"]
    (row,) = until(
        lambda: own_rows(owner, execution_id),
        lambda rows: [each["status"] for each in rows] == ["delivered"],
    )

    answer = owner.caller.post(f"/api/deliveries/{row['id']}/redeliver")

    assert answer.status_code == 202
    owner.received("/goes-on", 2)
    owner.caller.post(f"/api/executions/{execution_id}/cancel")
    assert len(owner.received("/goes-on", 3)) == 3


def test_a_keys_webhook_takes_events(owner: Owner) -> None:
    made = owner.set("/events", events=["execution.completed", "execution.started"])
    slug = owner.caller.save(greeting())

    execution_id = owner.caller.start(slug, {"name": "Eve"})

    assert made["events"] == ["execution.started", "execution.completed"]
    events = bodies(owner.received("/events", 2))
    assert [(each["event"], each["sequence"]) for each in events] == [
        ("execution.started", 1),
        ("execution.completed", 2),
    ]
    assert len(own_rows(owner, execution_id)) == 2
    kept = owner.set("/events")
    assert kept["events"] == owner.browser.get(owner.path).json()["events"] == made["events"]
    owner.browser.post(f"{owner.path}/test")
    assert len(owner.received("/events", 3)) == 3


def test_a_keys_webhook_that_asks_for_failures_is_not_told_of_a_success(owner: Owner) -> None:
    owner.set("/failures", events=["execution.failed"])

    owner.caller.ended(owner.caller.start(owner.caller.save(greeting()), {"name": "Eve"}))
    failed = owner.caller.start(owner.caller.save(failing()))

    (request,) = owner.received("/failures")
    assert json.loads(request.body)["executionId"] == failed


@pytest.mark.parametrize("events", [[], "x", ["execution.left"], ["batch.completed"], [1]])
def test_wrong_events_of_a_keys_webhook_are_refused(owner: Owner, events: Any) -> None:
    answer = owner.browser.put(owner.path, {"url": "https://example.org/", "events": events})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_WEBHOOK")
    assert answer.json()["field"] == "events"


def test_a_run_of_anothers_workflow_tells_its_start_and_end_alone(
    owner: Owner, caller: Caller
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    ends = ["execution.started", "execution.completed"]

    refused = owner.run(slug, told(owner, "/public", events=[*ends, "node.finished"]))
    answer = owner.run(slug, told(owner, "/public", events=ends))

    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_WEBHOOK")
    assert refused.json()["field"] == "webhook.events"
    assert answer.status_code == 200
    events = bodies(owner.received("/public", 2))
    assert [each["event"] for each in events] == ends
    owner.set("/public-key", events=[*ends, "node.finished"])
    owner.run(slug, None, "?async=true")
    events = bodies(owner.received("/public-key", 2))
    assert [(each["event"], each["sequence"]) for each in events] == [(ends[0], 1), (ends[1], 2)]
