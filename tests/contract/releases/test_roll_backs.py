"""A canary that fails is taken back by itself, and the account is told in all ways."""

from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, failing
from tests.support.contract.shapes import assert_fits, moment, sentence
from tests.support.contract.webhooks import Owner, new_owners
from tests.support.gateway.documents import greeting
from tests.support.http.sse_reader import parse
from tests.support.http.target import Stub

EVENT = "canary.rolled_back"
MOST_RUNS = 60
"""Runs of which, by chance, one at least is the canary's of 99 percent."""
RUNS: Any = {
    "runs": int,
    "failed": int,
    "errorRate": lambda value: value is None or 0 <= value <= 1,
    "p50Ms": lambda value: value is None or value >= 0,
    "p95Ms": lambda value: value is None or value >= 0,
}
FACTS: Any = {
    "workflowSlug": str,
    "alias": "live",
    "version": 3,
    "canary": {
        "id": str,
        "version": 2,
        "percent": 99,
        "minRuns": 2,
        "maxErrorRate": 0.5,
        "maxP95Ms": None,
    },
    "reason": sentence,
    "counts": {"canary": RUNS, "live": RUNS},
    "rolledBackAt": moment,
}


@pytest.fixture
def owner(administration: Administration, stub: Stub) -> Iterator[Owner]:
    yield from new_owners(administration, stub, "workflow:*")


def with_bad_canary(owner: Owner) -> str:
    """Return a workflow whose live version is good, and whose canary always fails."""
    slug = owner.caller.save(greeting())
    for document in (failing(), greeting()):
        body = document | {"name": greeting()["name"]}
        saved = owner.caller.put(f"/api/workflows/{slug}", body)
        assert saved.status_code == 200, saved.text
    canary = {"version": 2, "percent": 99, "minRuns": 2, "maxErrorRate": 0.5}
    alias = owner.caller.put(f"/api/workflows/{slug}/aliases/live", {"canary": canary})
    assert alias.status_code == 200, alias.text
    return slug


def run_until_taken_back(owner: Owner, slug: str) -> None:
    path = f"/api/workflows/{slug}"

    def run() -> bool:
        owner.caller.post(f"{path}/run", {"inputs": {"name": "Eve"}})
        return bool(owner.caller.get(f"{path}/aliases/live").json()["canary"] is None)

    until(run)


def test_a_failing_canary_is_taken_back_and_all_are_told(owner: Owner) -> None:
    made = owner.set("/canary", events=[EVENT])
    slug = with_bad_canary(owner)
    text = ""

    with owner.browser.client.stream("GET", "/api/events", timeout=20) as answer:
        for piece in answer.iter_text():
            if not text:
                run_until_taken_back(owner, slug)
            text += piece
            if f"event: {EVENT}" in text and text.endswith("\n\n"):
                break

    (event,) = [each for each in parse(text) if each.name == EVENT]
    assert_fits(event.data, {"id": str, "at": moment, **FACTS})
    assert event.data["workflowSlug"] == slug
    assert event.data["id"] == f"{slug}/{event.data['canary']['id']}"
    assert "of version 2 failed (100 %), and at most 50 % may" in event.data["reason"]

    [request] = owner.received("/canary")
    body = Webhook(made["secret"]).verify(request.body, dict(request.headers))
    assert_fits(body, {"event": EVENT, **FACTS})
    row = owner.delivery("delivered")
    assert (row["event"], row["executionId"], row["keyId"]) == (EVENT, None, owner.key_id)

    path = f"/api/workflows/{slug}"
    newest = owner.caller.get(f"{path}/aliases/live/history").json()["rows"][0]
    assert (newest["by"], newest["reason"]) == ("system", event.data["reason"])
    assert newest["change"]["from"]["canary"]["version"] == 2
    assert newest["change"]["to"] == {"version": 3, "canary": None}
    gone = owner.caller.get(f"{path}/aliases/live/canary")
    assert (gone.status_code, gone.json()["code"]) == (409, "NO_CANARY")
    after = owner.caller.post(f"{path}/run", {"inputs": {"name": "Eve"}})
    assert after.status_code == 200


def test_runs_by_number_draft_or_another_alias_take_no_canary_back(owner: Owner) -> None:
    slug = with_bad_canary(owner)
    path = f"/api/workflows/{slug}"

    for _ in range(3):
        failed = owner.caller.post(f"{path}/run?version=2", {"inputs": {"name": "Eve"}})
        assert failed.status_code == 500

    shown = owner.caller.get(f"{path}/aliases/live/canary").json()
    assert (shown["canary"]["runs"], shown["live"]["runs"]) == (0, 0)
    assert owner.caller.get(f"{path}/aliases/live").json()["canary"] is not None
