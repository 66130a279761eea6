import json
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.contract.installation import Administration, Caller, failing, never
from tests.support.contract.shapes import (
    assert_fits,
    moment,
    sentence,
)
from tests.support.contract.webhooks import DELIVERY, EVENT, OWN_SECRET, Owner
from tests.support.gateway.documents import greeting
from tests.support.http.signature_verifier import is_knouds_signed


def test_a_webhook_is_answered_with_its_secret_when_the_server_made_it(owner: Owner) -> None:
    made = owner.browser.put(owner.path, {"url": "https://example.org/hook"})
    shown = owner.browser.get(owner.path)

    webhook = {"url": "https://example.org/hook", "enabled": True, "createdAt": moment}
    assert (made.status_code, shown.status_code) == (200, 200)
    assert made.headers["cache-control"] == shown.headers["cache-control"] == "no-store"
    assert_fits(made.json(), {**webhook, "secret": str})
    assert_fits(shown.json(), webhook)
    assert made.json()["secret"].startswith("whsec_")
    assert len(made.json()["secret"]) == len("whsec_") + 44


def test_a_secret_of_ones_own_is_never_shown(owner: Owner) -> None:
    made = owner.set("/x", secret=OWN_SECRET, enabled=False)

    assert_fits(made, {"url": str, "enabled": False, "createdAt": moment})


def test_a_webhook_that_was_deleted_is_gone(owner: Owner) -> None:
    owner.set("/x")

    deleted = owner.browser.delete(owner.path)
    shown = owner.browser.get(owner.path)

    assert deleted.status_code == 200
    assert (shown.status_code, shown.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": 1}, "url"),
        ({"url": "example.org"}, "url"),
        ({"url": "ftp://example.org/"}, "url"),
        ({"url": "http://a b/"}, "url"),
        ({"url": "https://user:pass@example.org/"}, "url"),
        ({"url": "https://example.org/", "secret": "x" * 15}, "secret"),
        ({"url": "https://example.org/", "secret": "x" * 257}, "secret"),
        ({"url": "https://example.org/", "secret": 1}, "secret"),
        ({"url": "https://example.org/", "secret": "whsec_no base64!"}, "secret"),
    ],
)
def test_a_bad_url_or_secret_is_refused_by_name(
    owner: Owner, body: dict[str, Any], field: str
) -> None:
    answer = owner.browser.put(owner.path, body)

    assert answer.status_code == 400
    expected = {"error": sentence, "code": "INVALID_WEBHOOK", "field": field, "reason": sentence}
    assert_fits(answer.json(), expected)


def test_a_wrong_enabled_is_a_wrong_body(owner: Owner) -> None:
    answer = owner.browser.put(owner.path, {"url": "https://example.org/", "enabled": "yes"})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == "enabled"


@pytest.mark.parametrize("secret", ["x" * 16, "x" * 256])
def test_a_secret_has_16_to_256_characters(owner: Owner, secret: str) -> None:
    body = {"url": "https://example.org/", "secret": secret}

    assert owner.browser.put(owner.path, body).status_code == 200


def test_a_key_without_the_capability_has_no_webhook(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro"))
    made = browser.post("/api/api-keys", {"name": "x", "preset": "Full deploy"}).json()

    answer = browser.put(f"/api/api-keys/{made['id']}/webhook", {"url": "https://example.org/"})

    assert answer.status_code == 403
    required = {"code": "CAPABILITY_DENIED", "required": "webhook:receive"}
    assert_fits(answer.json(), {"error": sentence, **required})
    assert "'Run with webhooks'" in answer.json()["error"]


def test_a_key_with_the_preset_for_it_runs_and_has_a_webhook(
    administration: Administration,
) -> None:
    browser = administration.browser(administration.account("pro"))
    made = browser.post("/api/api-keys", {"name": "x", "preset": "Run with webhooks"}).json()

    answer = browser.put(f"/api/api-keys/{made['id']}/webhook", {"url": "https://example.org/"})

    assert answer.status_code == 200
    assert administration.with_key(made["key"]).run("none").json()["code"] == "WORKFLOW_NOT_FOUND"


def test_the_end_of_a_models_run_is_told_with_its_credits(owner: Owner) -> None:
    owner.set("/model")
    owner.caller.run_model("echo", {"prompt": "Eve"}, "?async=true")

    (request,) = owner.received("/model")

    event = json.loads(request.body)
    reported = {"workflowSlug": None, "modelIds": ["echo"], "creditsCost": 12}
    assert_fits(event, {**EVENT, **reported, "result": {"text": "Eve"}})


def test_the_end_of_an_async_run_is_told(owner: Owner) -> None:
    owner.set("/done")
    slug = owner.caller.save(greeting())
    execution_id = owner.caller.start(slug, {"name": "Eve"})

    (request,) = owner.received("/done")

    event = json.loads(request.body)
    execution = owner.caller.execution(execution_id)
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert_fits(event, {**EVENT, "result": {"text": "Hello Eve"}})
    assert (event["event"], event["status"]) == ("execution.completed", "completed")
    assert event["userId"] == owner.caller.get("/api/whoami").json()["user"]["id"]
    same = ("executionId", "requestId", "workflowSlug", "modelIds", "creditsCost", "durationMs")
    for name in (*same, "createdAt", "completedAt"):
        assert event[name] == execution[name], name
    row = owner.delivery("delivered")
    assert_fits(row, DELIVERY | {"executionId": execution_id, "nextAttemptAt": None})
    again = owner.browser.post(f"{owner.path}/deliveries/{row['id']}/redeliver")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    assert [each.body for each in owner.received("/done", 2)] == [request.body] * 2
    assert [each["status"] for each in owner.delivery("delivered")["attempts"]] == [200, 200]


def test_a_failed_run_is_told_with_its_error(owner: Owner) -> None:
    owner.set("/failed")
    owner.caller.start(owner.caller.save(failing()))

    (request,) = owner.received("/failed")

    event = json.loads(request.body)
    assert_fits(event, {**EVENT, "error": {"code": str, "message": sentence}})
    assert (event["event"], event["status"]) == ("execution.failed", "failed")


def test_a_cancelled_run_is_told(owner: Owner) -> None:
    owner.set("/cancelled")
    execution_id = owner.caller.start(owner.caller.save(never()))
    owner.caller.post(f"/api/executions/{execution_id}/cancel")

    (request,) = owner.received("/cancelled")

    event = json.loads(request.body)
    assert_fits(event, EVENT)
    assert (event["event"], event["status"]) == ("execution.cancelled", "cancelled")


def test_a_run_that_was_waited_for_is_not_told(owner: Owner) -> None:
    owner.set("/once")
    slug = owner.caller.save(greeting())
    owner.caller.run(slug, {"name": "Eve"})
    execution_id = owner.caller.start(slug, {"name": "Ada"})

    (request,) = owner.received("/once")
    owner.delivery("delivered")

    assert json.loads(request.body)["executionId"] == execution_id
    assert len(owner.stub.at("/once")) == 1


def test_a_test_event_is_synthetic(owner: Owner) -> None:
    owner.set("/test")

    answer = owner.browser.post(f"{owner.path}/test")
    (request,) = owner.received("/test")

    event = json.loads(request.body)
    assert answer.status_code == 202
    assert_fits(answer.json(), DELIVERY)
    assert_fits(event, {**EVENT, "event": "webhook.test", "result?": dict})
    assert request.headers["webhook-id"] == answer.json()["id"]
    assert owner.browser.get("/api/executions").json()["rows"] == []


@pytest.mark.parametrize("own", [True, False])
def test_stock_receivers_of_both_kinds_verify_a_delivery(owner: Owner, own: bool) -> None:
    made = owner.set("/signed", **({"secret": OWN_SECRET} if own else {}))
    secret = OWN_SECRET if own else made["secret"]
    owner.browser.post(f"{owner.path}/test")

    (request,) = owner.received("/signed")

    key: Any = OWN_SECRET.encode() if own else secret
    assert is_knouds_signed(secret, request.headers["x-knouds-signature"], request.body)
    assert not is_knouds_signed(secret, request.headers["x-knouds-signature"], b"{}")
    assert Webhook(key).verify(request.body, request.headers) == json.loads(request.body)


def test_retries_repeat_id_and_body_until_the_delivery_has_failed(owner: Owner) -> None:
    owner.set("/status/500/fails")
    owner.browser.post(f"{owner.path}/test")

    row = owner.delivery("failed")

    requests = owner.stub.at("/status/500/fails")
    assert_fits(row, DELIVERY | {"nextAttemptAt": None})
    assert len(requests) == len(row["attempts"]) == 8
    assert {request.headers["webhook-id"] for request in requests} == {row["id"]}
    assert len({request.body for request in requests}) == 1
    assert [attempt["status"] for attempt in row["attempts"]] == [500] * 8


def test_a_failed_delivery_can_be_redelivered(owner: Owner) -> None:
    owner.set("/status/500/first")
    owner.browser.post(f"{owner.path}/test")
    row = owner.delivery("failed")
    owner.set("/second")

    answer = owner.browser.post(f"{owner.path}/deliveries/{row['id']}/redeliver")
    (request,) = owner.received("/second")

    assert answer.status_code == 202
    assert_fits(answer.json(), DELIVERY)
    assert request.headers["webhook-id"] == row["id"]
    assert request.body == owner.stub.at("/status/500/first")[0].body
    owner.delivery("delivered")


@pytest.mark.parametrize("delivery_id", ["00000000-0000-4000-8000-000000000000", "x"])
def test_an_unknown_delivery_cannot_be_redelivered(owner: Owner, delivery_id: str) -> None:
    owner.set("/x")

    answer = owner.browser.post(f"{owner.path}/deliveries/{delivery_id}/redeliver")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_redirects_are_not_followed(owner: Owner) -> None:
    owner.set("/status/307/away")
    owner.browser.post(f"{owner.path}/test")

    row = owner.delivery("failed")

    assert {attempt["status"] for attempt in row["attempts"]} == {307}
    assert owner.stub.at("/moved") == []


def test_gone_disables_the_webhook_and_says_why(owner: Owner) -> None:
    owner.set("/status/410/gone")
    owner.browser.post(f"{owner.path}/test")

    row = owner.delivery("failed")

    expected = {"url": str, "enabled": False, "disabledReason": sentence, "createdAt": moment}
    assert len(row["attempts"]) == 1
    assert_fits(owner.browser.get(owner.path).json(), expected)


def test_deliveries_are_listed_in_pages(owner: Owner) -> None:
    owner.set("/listed")
    ids = [owner.browser.post(f"{owner.path}/test").json()["id"] for _ in range(3)]

    first = owner.browser.get(f"{owner.path}/deliveries?limit=2").json()
    rest = owner.browser.get(f"{owner.path}/deliveries?cursor={first['nextCursor']}").json()
    wrong = owner.browser.get(f"{owner.path}/deliveries?limit=none")

    assert_fits(first, {"rows": [DELIVERY], "nextCursor": str})
    assert_fits(rest, {"rows": [DELIVERY], "nextCursor": None})
    assert [row["id"] for row in first["rows"] + rest["rows"]] == ids[::-1]
    assert (wrong.json()["code"], wrong.json()["field"]) == ("INVALID_QUERY", "limit")
    lost = owner.browser.get(f"{owner.path}/deliveries?cursor=nonsense")
    assert (lost.json()["code"], lost.json()["field"]) == ("INVALID_QUERY", "cursor")


def test_a_foreign_webhook_is_not_found(owner: Owner, browser: Caller) -> None:
    owner.set("/theirs")

    answers = [
        browser.get(owner.path),
        browser.put(owner.path, {"url": "https://example.org/"}),
        browser.delete(owner.path),
        browser.post(f"{owner.path}/test"),
        browser.get(f"{owner.path}/deliveries"),
        browser.post(f"{owner.path}/deliveries/00000000-0000-4000-8000-000000000000/redeliver"),
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "NOT_FOUND")}
