"""Webhooks that are told of the runs of triggers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration
from tests.support.contract.triggers import SECRET, at, greeting, make, schedule
from tests.support.contract.webhooks import Owner, new_owners
from tests.support.http.signature_verifier import is_knouds_signed
from tests.support.http.target import Stub


@pytest.fixture
def owner(administration: Administration, stub: Stub) -> Iterator[Owner]:
    yield from new_owners(administration, stub)


def run(owner: Owner, **members: Any) -> str:
    """Make a schedule and start a run of it; return the execution once it has ended."""
    trigger = make(owner.caller, schedule(owner.caller.save(greeting()), **members))
    execution_id = owner.caller.post(at(trigger, "/run")).json()["executionId"]
    assert owner.caller.ended(execution_id)["status"] == "completed"
    return str(execution_id)


def test_the_end_is_told_to_the_webhook_of_the_trigger(owner: Owner) -> None:
    owner.set("/key")

    execution_id = run(owner, webhook={"url": f"{owner.stub.url}/own", "secret": SECRET})
    (request,) = owner.received("/own")

    event = json.loads(request.body)
    assert (event["event"], event["executionId"]) == ("execution.completed", execution_id)
    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)
    Webhook(SECRET.encode()).verify(request.body, request.headers)
    assert owner.stub.at("/key") == []
    deliveries = owner.browser.get(f"/api/executions/{execution_id}").json()["deliveries"]
    assert [each["keyId"] for each in deliveries] == [None]


def test_it_is_told_of_the_events_that_it_asks_for(owner: Owner) -> None:
    events = ["execution.started", "execution.completed"]
    webhook = {"url": f"{owner.stub.url}/some", "secret": SECRET, "events": events}

    run(owner, webhook=webhook)
    requests = owner.received("/some", 2)

    assert {json.loads(each.body)["event"] for each in requests} == set(events)


def test_without_one_nobody_is_told(owner: Owner) -> None:
    owner.set("/key")

    execution_id = run(owner)

    assert owner.browser.get(f"/api/executions/{execution_id}").json()["deliveries"] == []
    assert owner.stub.at("/key") == []


def test_a_former_secret_signs_at_the_same_origin(owner: Owner) -> None:
    trigger = make(
        owner.caller,
        schedule(
            owner.caller.save(greeting()),
            webhook={"url": f"{owner.stub.url}/old", "secret": SECRET},
        ),
    )
    owner.caller.patch(at(trigger), {"webhook": {"url": f"{owner.stub.url}/new"}})

    owner.caller.post(at(trigger, "/run"))
    (request,) = owner.received("/new")

    assert is_knouds_signed(SECRET, request.headers["x-knouds-signature"], request.body)
    assert until(lambda: owner.stub.at("/new"))
    assert owner.stub.at("/old") == []
