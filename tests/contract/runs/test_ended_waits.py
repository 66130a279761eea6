"""Runs whose caller waits no longer: the key's webhook is notified of the end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller, cleaned, never
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.target import Stub

BOTH = ("workflow:*", "webhook:receive", "model:run")
QUIET_SECONDS = 2.0
"""Time for a delivery that should not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A browser with a key of its account, whose webhook the stub receives."""

    browser: Caller
    caller: Caller
    secret: str
    key_id: str
    url: str
    stub: Stub

    @property
    def path(self) -> str:
        return f"/api/api-keys/{self.key_id}/webhook"

    @property
    def told(self) -> dict[str, Any]:
        return {"configured": True, "url": self.url}

    def save(self, seconds: float) -> str:
        """Save a workflow whose call takes so long."""
        nodes = [
            node("call", "httpRequest", url=f"{self.stub.url}/slow/{seconds}"),
            node("out", "responseOutput"),
        ]
        nodes[0]["data"]["retry"] = {"attempts": 1}
        document = {"name": "Slow", "nodes": nodes}
        return self.caller.save(
            document | {"edges": [edge("call", "response-out", "out", "result-in")]}
        )

    def deliveries(self) -> list[Any]:
        """Return the deliveries of the webhook, newest first."""
        rows: list[Any] = self.browser.get(f"{self.path}/deliveries").json()["rows"]
        return rows

    def delivered(self, execution_id: str) -> Any:
        """Return the one delivery, once the stub has received it; no other comes after it."""
        until(lambda: [each["status"] for each in self.deliveries()] == ["delivered"])
        time.sleep(QUIET_SECONDS)
        (row,) = self.deliveries()
        assert (row["executionId"], len(row["attempts"])) == (execution_id, 1)
        assert len(self.stub.at("/waited")) == 1
        return row

    def newest(self) -> str:
        """Return the id of the newest execution, once there is one."""
        rows = until(lambda: self.caller.get("/api/executions").json()["rows"])
        return str(rows[0]["executionId"])

    def hang_up(self, slug: str, seconds: float, **headers: str) -> None:
        """Run and hang up after a time."""
        base, everyone = str(self.caller.client.base_url), {"x-api-key": self.secret}
        with (
            httpx2.Client(base_url=base, headers=everyone | headers, timeout=seconds) as client,
            pytest.raises(httpx2.ReadTimeout),
        ):
            client.post(f"/api/workflows/{slug}/run", json={"inputs": {}})


def make_owner(administration: Administration, stub: Stub, *capabilities: str) -> Owner:
    browser = administration.browser(administration.account("business"))
    body = {"name": "waits", "capabilities": list(capabilities)}
    made = browser.post("/api/api-keys", body).json()
    owner = Owner(
        browser=browser,
        caller=administration.with_key(made["key"]),
        secret=made["key"],
        key_id=made["id"],
        url=f"{stub.url}/waited",
        stub=stub,
    )
    browser.put(owner.path, {"url": owner.url})
    return owner


@pytest.fixture
def owner(administration: Administration, stub: Stub) -> Iterator[Owner]:
    made = make_owner(administration, stub, *BOTH)
    for _ in cleaned(made.caller):
        yield made


@pytest.mark.parametrize(
    "options",
    [{"query": "?timeout=0.2"}, {"headers": {"prefer": "wait=1"}}, {"query": "?timeout=0"}],
    ids=["query", "header", "no wait"],
)
def test_the_end_after_a_wait_that_ran_out_is_delivered(
    owner: Owner, options: dict[str, Any]
) -> None:
    answer = owner.caller.run(owner.save(2.0), **options)
    body = answer.json()

    assert (answer.status_code, body["webhookDelivery"]) == (202, owner.told)
    row = owner.delivered(body["executionId"])
    assert row["event"] == "execution.failed"  # the call gets an empty answer
    assert owner.caller.ended(body["executionId"])["status"] == "failed"


def test_the_end_of_a_models_run_is_delivered_too(owner: Owner, painter: str) -> None:
    answer = owner.caller.run_model(painter, {"prompt": "a cat"}, "?timeout=0.001")

    assert answer.json()["webhookDelivery"] == owner.told
    assert owner.delivered(answer.json()["executionId"])["event"] == "execution.completed"


def test_a_run_that_is_cancelled_after_its_wait_is_delivered(owner: Owner) -> None:
    body = owner.caller.run(owner.save(30.0), query="?timeout=0.2").json()

    owner.caller.post(f"/api/executions/{body['executionId']}/cancel")

    assert owner.delivered(body["executionId"])["event"] == "execution.cancelled"


def test_an_answer_in_time_is_not_delivered(owner: Owner) -> None:
    answer = owner.caller.run(owner.caller.save(greeting()), {"name": "Eve"}, "?timeout=30")
    time.sleep(QUIET_SECONDS)

    assert answer.status_code == 200
    assert owner.deliveries() == []


def test_a_repeated_call_is_answered_alike_and_delivers_nothing_again(owner: Owner) -> None:
    slug, headers = owner.save(2.0), {"idempotency-key": "one-wait"}
    first = owner.caller.run(slug, query="?timeout=0.2", headers=headers)
    early = owner.caller.run(slug, query="?timeout=0.2", headers=headers)
    owner.delivered(first.json()["executionId"])
    late = owner.caller.run(slug, headers=headers)

    assert first.json()["webhookDelivery"] == owner.told
    assert [each.status_code for each in (first, early, late)] == [202] * 3
    assert early.json() == late.json() == first.json()
    assert early.headers["idempotent-replayed"] == late.headers["idempotent-replayed"] == "true"
    owner.delivered(first.json()["executionId"])


def test_a_caller_who_hangs_up_is_told(owner: Owner) -> None:
    owner.hang_up(owner.save(3.0), 0.5)

    assert owner.delivered(owner.newest())["event"] == "execution.failed"


def test_who_hangs_up_and_repeats_the_call_hears_twice(owner: Owner) -> None:
    slug, headers = owner.save(3.0), {"idempotency-key": "hung-up"}
    owner.hang_up(slug, 0.5, **headers)

    early = owner.caller.run(slug, headers=headers)
    owner.delivered(owner.newest())
    late = owner.caller.run(slug, headers=headers)

    assert (early.status_code, early.json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert late.json()["code"] == "EXECUTION_FAILED"
    assert late.json()["executionId"] == owner.newest()
    owner.delivered(owner.newest())


def test_a_broken_event_stream_delivers_nothing(owner: Owner) -> None:
    slug, base = owner.save(2.0), str(owner.caller.client.base_url)
    headers = {"x-api-key": owner.secret, "accept": "text/event-stream"}
    with (
        httpx2.Client(base_url=base, headers=headers) as client,
        client.stream("POST", f"/api/workflows/{slug}/run", json={"inputs": {}}) as events,
    ):
        next(events.iter_lines())

    assert owner.caller.ended(owner.newest())["status"] == "failed"
    time.sleep(QUIET_SECONDS)
    assert owner.deliveries() == []


def test_a_disabled_webhook_is_not_promised(owner: Owner) -> None:
    owner.browser.put(owner.path, {"url": owner.url, "enabled": False})

    body = owner.caller.run(owner.save(1.0), query="?timeout=0.2").json()

    assert body["webhookDelivery"] == {"configured": False}
    owner.caller.ended(body["executionId"])
    assert owner.deliveries() == []


def test_a_session_is_promised_nothing(owner: Owner) -> None:
    answer = owner.browser.run(owner.browser.save(never()), query="?timeout=0.2")
    owner.browser.clean()

    assert (answer.status_code, answer.json()["webhookDelivery"]) == (202, {"configured": False})


def test_a_run_with_a_webhook_of_its_own_is_told_there_alone(owner: Owner) -> None:
    url = f"{owner.stub.url}/own"
    webhook = {"url": url, "secret": "a secret of sixteen or more"}
    slug = owner.save(2.0)

    answer = owner.caller.post(
        f"/api/workflows/{slug}/run?timeout=0.2", {"inputs": {}, "webhook": webhook}
    )
    until(lambda: owner.stub.at("/own"))
    time.sleep(QUIET_SECONDS)

    assert answer.json()["webhookDelivery"] == {"configured": True, "url": url}
    assert [len(owner.stub.at(each)) for each in ("/own", "/waited")] == [1, 0]
    assert owner.deliveries() == []
