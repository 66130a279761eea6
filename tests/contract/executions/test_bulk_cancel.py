"""Cancellation of many executions by filters."""

from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import NEVER, Administration, Caller
from tests.support.gateway.documents import edge, node

ROUTES = {"POST /api/executions/cancel": "execution:cancel"}


def waiting(name: str = "Waiting") -> dict[str, Any]:
    """A workflow whose call is retried after a minute."""
    nodes = [node("call", "httpRequest", **NEVER), node("out", "responseOutput")]
    return {
        "name": name,
        "nodes": nodes,
        "edges": [edge("call", "response-out", "out", "result-in")],
    }


def cancel(caller: Caller, **filters: Any) -> dict[str, Any]:
    answer = caller.post("/api/executions/cancel", filters)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_executions_of_a_workflow_are_cancelled(caller: Caller) -> None:
    slug, other = caller.save(waiting()), caller.save(waiting("Other"))
    started = [caller.start(slug) for _ in range(3)]
    left = caller.start(other)

    assert cancel(caller, workflowSlug=slug) == {"cancelled": 3, "more": False}

    assert [caller.ended(each)["status"] for each in started] == ["cancelled"] * 3
    assert caller.execution(left)["status"] == "processing"
    assert cancel(caller, workflowSlug=slug) == {"cancelled": 0, "more": False}


def test_filters_apply_together(caller: Caller) -> None:
    slug = caller.save(waiting())
    begun = caller.start(slug)

    assert cancel(caller, workflowSlug=slug, source="app-draft")["cancelled"] == 0
    assert cancel(caller, workflowSlug=slug, keyId="key_0")["cancelled"] == 0
    assert caller.execution(begun)["status"] == "processing"
    assert cancel(caller, workflowSlug=slug, source="api-workflow")["cancelled"] == 1


def test_the_executions_of_a_key_are_cancelled(administration: Administration) -> None:
    account = administration.account("business")
    browser = administration.browser(account)
    first, second = (administration.with_key(administration.key(account)) for _ in range(2))
    slug = first.save(waiting())
    begun, other = first.start(slug), second.start(slug)
    keys = browser.get("/api/api-keys").json()
    counts = [cancel(browser, keyId=key["id"])["cancelled"] for key in keys]

    assert sorted(counts) == [1, 1]
    assert first.ended(begun)["status"] == second.ended(other)["status"] == "cancelled"
    first.clean()


def test_executions_of_others_are_left_alone(caller: Caller, stranger: Caller) -> None:
    slug = caller.save(waiting())
    begun = caller.start(slug)

    assert cancel(stranger, workflowSlug=slug) == {"cancelled": 0, "more": False}
    assert cancel(stranger, source="api-workflow")["cancelled"] == 0
    assert caller.execution(begun)["status"] == "processing"


def test_the_running_ones_are_those_that_are_processing(caller: Caller) -> None:
    slug = caller.save(waiting())
    begun = caller.start(slug)

    assert cancel(caller, workflowSlug=slug, status="failed")["cancelled"] == 0
    assert caller.execution(begun)["status"] == "processing"
    assert cancel(caller, workflowSlug=slug, status=["failed", "processing"])["cancelled"] == 1


@pytest.mark.parametrize("name", ["model", "until", "workflow"])
def test_a_filter_that_is_not_known_cancels_nothing(caller: Caller, name: str) -> None:
    slug = caller.save(waiting())
    begun = caller.start(slug)

    answer = caller.post("/api/executions/cancel", {"workflowSlug": slug, name: "x"})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == name
    assert caller.execution(begun)["status"] == "processing"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"workflowSlug": None},
        {"unknown": "x"},
        {"source": "nowhere"},
        {"source": 5},
        {"keyId": []},
        {"workflowSlug": "No Slug"},
        {"status": "nothing"},
        {"status": [5]},
        [],
    ],
    ids=str,
)
def test_without_a_valid_filter_it_is_refused(caller: Caller, body: Any) -> None:
    answer: httpx2.Response = caller.post("/api/executions/cancel", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
