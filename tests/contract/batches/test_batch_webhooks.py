"""Webhooks of batches: the end is told once, and items tell of nothing."""

import json
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from tests.support.acceptance.running_stack import until
from tests.support.contract.batches import batch_of, begun_batch, ended_batch, start_batch
from tests.support.contract.installation import Administration, never
from tests.support.contract.shapes import assert_fits, moment, number, sentence, uuid
from tests.support.contract.webhooks import Owner
from tests.support.gateway.documents import greeting
from tests.support.http.signature_verifier import is_knouds_signed

SECRET = "the secret of this one batch"
COUNTS = dict.fromkeys(("queued", "processing", "completed", "failed", "cancelled"), int)
BODY = {
    "event": "batch.completed",
    "batchId": uuid,
    "workflowSlug": str,
    "status": "completed",
    "counts": COUNTS,
    "creditsCost": number,
    "tags": [str],
    "createdAt": moment,
    "completedAt": moment,
}


def told(owner: Owner, path: str, **more: Any) -> dict[str, Any]:
    """Return a webhook that leads to a path of the stub."""
    return {"url": owner.stub.url + path, "secret": SECRET, **more}


def items(count: int) -> list[Any]:
    return [{"inputs": {"name": "Ada"}}] * count


def rows_of(owner: Owner, batch_id: str) -> Any:
    rows = owner.browser.get("/api/deliveries?limit=200").json()["rows"]
    return [row for row in rows if row.get("batchId") == batch_id]


def test_the_end_is_told_to_the_batchs_own_webhook_in_place_of_the_keys(owner: Owner) -> None:
    owner.set("/key")
    slug = owner.caller.save(greeting())

    batch_id = begun_batch(
        owner.caller, slug, items(3), webhook=told(owner, "/own"), tags=["nightly"]
    )
    ended = ended_batch(owner.caller, batch_id)
    (request,) = owner.received("/own")

    event = json.loads(request.body)
    assert_fits(event, BODY)
    assert event == {
        "event": "batch.completed",
        **{name: ended[name] for name in BODY if name != "event"},
    }
    assert request.headers["webhook-id"] == batch_id
    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)
    assert owner.stub.at("/key") == []
    (row,) = until(
        lambda: rows_of(owner, batch_id), lambda rows: rows and rows[0]["status"] == "delivered"
    )
    assert (row["id"], row["executionId"], row["keyId"]) == (batch_id, None, None)
    assert (row["event"], row["url"]) == ("batch.completed", owner.stub.url + "/own")
    again = owner.browser.post(f"/api/deliveries/{batch_id}/redeliver")
    assert again.status_code == 409  # its secret is gone


def test_the_end_is_told_to_the_webhook_of_the_key(owner: Owner) -> None:
    secret = owner.set("/of-key")["secret"]
    slug = owner.caller.save(greeting())

    batch_id = begun_batch(owner.caller, slug, items(2))
    (request,) = owner.received("/of-key")

    assert json.loads(request.body)["batchId"] == batch_id
    assert "sequence" not in json.loads(request.body)
    Webhook(secret).verify(request.body, request.headers)
    (row,) = until(lambda: rows_of(owner, batch_id))
    assert row["keyId"] == owner.key_id


def test_without_a_secret_that_of_the_key_signs_for_its_own_origin(owner: Owner) -> None:
    secret = owner.set("/of-key")["secret"]
    slug = owner.caller.save(greeting())

    begun_batch(owner.caller, slug, items(1), webhook={"url": owner.stub.url + "/beside"})
    (request,) = owner.received("/beside")

    Webhook(secret).verify(request.body, request.headers)
    assert owner.stub.at("/of-key") == []


def test_the_end_of_a_cancelled_batch_is_told(owner: Owner) -> None:
    batch_id = begun_batch(
        *(owner.caller, owner.caller.save(never()), [{"inputs": {}}] * 2),
        webhook=told(owner, "/cancelled"),
    )
    owner.caller.post(f"/api/batches/{batch_id}/cancel")

    (request,) = owner.received("/cancelled")

    event = json.loads(request.body)
    shape = {**BODY, "event": "batch.cancelled", "status": "cancelled", "tags": []}
    assert_fits(event, shape)
    assert event["counts"]["cancelled"] == 2


def test_a_repeated_call_is_told_once(owner: Owner) -> None:
    slug, headers = owner.caller.save(greeting()), {"idempotency-key": str(uuid4())}
    webhook = told(owner, "/once")

    first = start_batch(owner.caller, slug, items(1), headers=headers, webhook=webhook)
    owner.received("/once")
    again = start_batch(owner.caller, slug, items(1), headers=headers, webhook=webhook)
    batch_id = begun_batch(owner.caller, slug, items(1), webhook=told(owner, "/later"))
    owner.received("/later")

    assert first.content == again.content
    assert first.json()["batchId"] != batch_id
    assert len(owner.stub.at("/once")) == 1


@pytest.mark.parametrize(
    ("webhook", "wrong"),
    [
        ("https://example.org/", "webhook"),
        ({}, "webhook.url"),
        ({"url": "ftp://example.org/", "secret": SECRET}, "webhook.url"),
        ({"url": "https://example.org/", "secret": "short"}, "webhook.secret"),
        ({"url": "https://example.org/"}, "webhook.secret"),
        (
            {
                "url": "https://example.org/",
                "secret": SECRET,
                "events": ["execution.completed"],
            },
            "webhook.events",
        ),
    ],
    ids=str,
)
def test_a_webhook_that_is_wrong_is_refused(owner: Owner, webhook: Any, wrong: str) -> None:
    slug = owner.caller.save(greeting())

    answer = start_batch(owner.caller, slug, items(1), webhook=webhook)

    assert answer.status_code == 400
    expected = {"error": sentence, "code": "INVALID_WEBHOOK", "field": wrong, "reason": sentence}
    assert_fits(answer.json(), expected)


def test_a_webhook_needs_its_capability(administration: Administration, owner: Owner) -> None:
    caller = administration.caller("business", "workflow:*")
    slug = caller.save(greeting())

    answer = start_batch(caller, slug, items(1), webhook=told(owner, "/none"))

    assert (answer.status_code, answer.json()["required"]) == (403, "webhook:receive")
    caller.clean()


def test_a_batch_by_a_session_may_have_a_webhook_with_a_secret(owner: Owner) -> None:
    slug = owner.browser.save(greeting())

    batch_id = begun_batch(owner.browser, slug, items(1), webhook=told(owner, "/by-session"))
    (request,) = owner.received("/by-session")

    assert json.loads(request.body)["batchId"] == batch_id
    execution_rows = owner.browser.get(f"/api/executions?batchId={batch_id}").json()["rows"]
    assert [row["source"] for row in execution_rows] == ["batch"]
    assert batch_of(owner.browser, batch_id)["status"] == "completed"
    owner.browser.clean()
