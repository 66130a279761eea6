"""`canary.rolled_back`: the webhook of a key may ask for it, and that of a run may not."""

import pytest

from tests.support.contract.webhooks import Owner
from tests.support.gateway.documents import greeting

EVENT = "canary.rolled_back"


def test_the_webhook_of_a_key_may_ask_for_roll_backs(owner: Owner) -> None:
    asked = [EVENT, "execution.failed", "execution.started"]

    made = owner.set("/x", events=asked)

    in_order = ["execution.started", "execution.failed", EVENT]
    assert made["events"] == in_order
    assert owner.browser.get(owner.path).json()["events"] == in_order
    kept = owner.set("/y")
    assert kept["events"] == in_order


def test_one_that_asks_for_roll_backs_alone_gets_no_ends(owner: Owner) -> None:
    owner.set("/quiet", events=[EVENT])
    slug = owner.caller.save(greeting())

    ended = owner.caller.post(f"/api/workflows/{slug}/run?async=true", {"inputs": {"name": "Eve"}})

    assert ended.status_code == 202
    deliveries = owner.browser.get(owner.path + "/deliveries").json()
    assert deliveries["rows"] == []


@pytest.mark.parametrize("events", [[EVENT], ["execution.failed", EVENT]])
def test_the_webhook_of_a_run_may_not(owner: Owner, events: list[str]) -> None:
    slug = owner.caller.save(greeting())

    refused = owner.run(slug, {"url": owner.stub.url + "/x", "secret": "s" * 20, "events": events})

    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_WEBHOOK")
    assert refused.json()["field"] == "webhook.events"
    assert EVENT not in refused.json()["error"]
