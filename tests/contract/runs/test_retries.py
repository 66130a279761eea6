"""Retries of failed executions."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import NAME_FIELD, edge, greeting, node
from tests.support.http.target import Stub

ROUTES = {"POST /api/executions/{execution_id}/retry": "workflow:run"}


@pytest.fixture
def path(stub: Stub) -> str:
    """A path that answers with 500 until the test gives it a value."""
    return f"/status/500/{uuid.uuid4()}"


def calls(stub: Stub, path: str, **members: Any) -> dict[str, Any]:
    """A workflow whose first call is answered, and whose second one has this path."""
    return {
        "name": "Calls",
        "nodes": [
            node("in", "requestInput", fields=[NAME_FIELD]),
            node("first", "httpRequest", method="POST", url=f"{stub.url}/json/first"),
            node("second", "httpRequest", method="POST", url=f"{stub.url}{path}"),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "first", "body-in"),
            edge("first", "response-out", "second", "body-in"),
            edge("second", "response-out", "out", "result-in"),
        ],
        **members,
    }


def failed(caller: Caller, slug: str, name: str = "Ada") -> str:
    answer = caller.run(slug, {"name": name})
    assert (answer.status_code, answer.json()["code"]) == (500, "EXECUTION_FAILED")
    return str(answer.json()["executionId"])


def retry(caller: Caller, execution_id: str, **options: Any) -> httpx2.Response:
    return caller.post(f"/api/executions/{execution_id}/retry", **options)


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body


def accepted(answer: httpx2.Response) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.json()["executionId"])


def test_a_retry_runs_the_nodes_that_failed_and_keeps_the_others(
    caller: Caller, stub: Stub, path: str
) -> None:
    first = failed(caller, caller.save(calls(stub, path)))
    stub.give(path, {"ok": True})

    answer = retry(caller, first)

    assert set(answer.json()) >= {"executionId", "status", "pollUrl"}
    ended = caller.ended(accepted(answer))
    assert (ended["status"], ended["result"], ended["retryOf"]) == (
        "completed",
        {"ok": True},
        first,
    )
    assert caller.execution(first)["retryOf"] is None
    assert [len(stub.at(each)) for each in ("/json/first", path)] == [1, 2]
    assert stub.at(path)[0].body == stub.at(path)[1].body
    assert {each["id"]: (each["status"], each["attempts"]) for each in ended["nodes"]} == {
        "in": ("completed", 0),
        "first": ("completed", 0),
        "second": ("completed", 1),
        "out": ("completed", 1),
    }
    assert ended["createdAt"] > caller.execution(first)["createdAt"]


def test_a_retry_runs_on_the_version_that_failed(caller: Caller, stub: Stub, path: str) -> None:
    slug = caller.save(calls(stub, path))
    first = failed(caller, slug)
    caller.put(f"/api/workflows/{slug}", greeting())
    stub.give(path, {"ok": True})

    ended = caller.ended(accepted(retry(caller, first)))

    assert (ended["workflowVersion"], ended["result"]) == (1, {"ok": True})


def test_a_retry_that_fails_can_be_retried(caller: Caller, stub: Stub, path: str) -> None:
    first = failed(caller, caller.save(calls(stub, path)))
    second = accepted(retry(caller, first))
    assert caller.ended(second)["status"] == "failed"
    stub.give(path, {"ok": True})

    third = caller.ended(accepted(retry(caller, second)))

    assert (third["status"], third["retryOf"]) == ("completed", second)
    assert len(stub.at("/json/first")) == 1


def test_several_retries_at_once_start_one(caller: Caller, stub: Stub, path: str) -> None:
    first = failed(caller, caller.save(calls(stub, path)))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: retry(caller, first), range(4)))

    assert len({accepted(answer) for answer in answers}) == 1
    caller.ended(accepted(answers[0]))
    assert len(stub.at(path)) == 2
    assert accepted(retry(caller, first)) == accepted(answers[0])


def test_what_was_cancelled_is_not_retried(caller: Caller, stub: Stub, path: str) -> None:
    document = calls(stub, path)
    document["nodes"][2]["data"]["retry"] = {"attempts": 2, "backoff": 60}
    slug = caller.save(document)
    first = caller.start(slug, {"name": "Ada"})
    caller.post(f"/api/executions/{first}/cancel")
    assert caller.ended(first)["status"] == "cancelled"
    assert refused(retry(caller, first), 409, "EXECUTION_NOT_RETRYABLE")["status"] == "cancelled"


@pytest.mark.parametrize("headers", [None, {"Idempotency-Key": "again"}])
def test_only_what_has_failed_is_retried(caller: Caller, headers: Any) -> None:
    done = caller.run(caller.save(greeting()), {"name": "Ada"}).json()["executionId"]

    body = refused(retry(caller, done, headers=headers), 409, "EXECUTION_NOT_RETRYABLE")

    assert body["status"] == "completed"
    assert body["reason"]


def test_what_still_runs_is_not_retried(caller: Caller, stub: Stub, path: str) -> None:
    document = calls(stub, path)
    document["nodes"][2]["data"]["retry"] = {"attempts": 2, "backoff": 60}
    running = caller.start(caller.save(document), {"name": "Ada"})

    body = refused(retry(caller, running), 409, "EXECUTION_NOT_RETRYABLE")

    assert body["status"] == "processing"


def test_a_version_that_is_gone_is_not_retried(caller: Caller, stub: Stub, path: str) -> None:
    slug = caller.save(calls(stub, path))
    first = failed(caller, slug)
    caller.delete(f"/api/workflows/{slug}")

    body = refused(retry(caller, first), 409, "EXECUTION_NOT_RETRYABLE")

    assert body["status"] == "failed"
    assert "version" in body["reason"]


def test_a_key_that_is_used_again_replays_the_retry(caller: Caller, stub: Stub, path: str) -> None:
    first = failed(caller, caller.save(calls(stub, path)))
    key = {"Idempotency-Key": str(uuid.uuid4())}

    answers = [retry(caller, first, headers=key) for _ in range(2)]

    assert accepted(answers[0]) == accepted(answers[1])
    assert answers[1].headers["idempotent-replayed"] == "true"


def test_a_failed_draft_is_retried_as_it_was(caller: Caller, stub: Stub, path: str) -> None:
    slug = caller.save(greeting())
    caller.put(f"/api/workflows/{slug}/draft", calls(stub, path))
    answer = caller.post(f"/api/workflows/{slug}/draft/run", {"inputs": {"name": "Ada"}})
    first = answer.json()["executionId"]
    caller.put(f"/api/workflows/{slug}/draft", greeting())
    stub.give(path, {"ok": True})

    ended = caller.ended(accepted(retry(caller, first)))

    assert (ended["result"], ended["retryOf"]) == ({"ok": True}, first)
    assert (ended["workflowVersion"], ended["source"]) == (None, "app-draft")
    assert len(stub.at("/json/first")) == 1


def test_large_outputs_are_kept_for_a_retry(caller: Caller, stub: Stub, path: str) -> None:
    document = calls(stub, path)
    document["nodes"][1] = node("first", "textBox", text="{{ name }} " + "x" * 250_000)
    document["nodes"].append(node("more", "textBox", text="{{ text }}{{ text }}"))
    document["edges"] = [
        edge("in", "name", "first", "name"),
        edge("first", "text-out", "more", "text"),
        edge("more", "text-out", "second", "body-in"),
        edge("second", "response-out", "out", "result-in"),
    ]
    first = failed(caller, caller.save(document))
    stub.give(path, {"ok": True})

    ended = caller.ended(accepted(retry(caller, first)))

    assert ended["result"] == {"ok": True}
    bodies = [each.body for each in stub.at(path)]
    assert bodies[0] == bodies[1]
    assert len(bodies[1]) > 500_000


def test_executions_of_others_are_404(caller: Caller, stranger: Caller, stub: Stub) -> None:
    first = failed(caller, caller.save(calls(stub, "/status/500/x")))

    for each in (first, str(uuid.uuid4()), "x"):
        refused(retry(stranger, each), 404, "EXECUTION_NOT_FOUND")


def test_a_key_must_be_able_to_run_the_workflow(
    administration: Administration, stub: Stub, path: str
) -> None:
    account = administration.account("business")
    owner = administration.with_key(administration.key(account))
    slug = owner.save(calls(stub, path))
    first = failed(owner, slug)

    def keyed(*capabilities: str) -> Caller:
        return administration.with_key(administration.key(account, *capabilities))

    for held in (("workflow:read",), ("workflow:other:run",), ("model:run",)):
        body = refused(retry(keyed(*held), first), 403, "CAPABILITY_DENIED")
        assert body["required"] == "workflow:run"
    refused(retry(keyed("workflow:read"), str(uuid.uuid4())), 403, "CAPABILITY_DENIED")
    accepted(retry(keyed(f"workflow:{slug}:run"), first))
    owner.clean()


def test_a_retry_counts_in_the_window_of_runs(
    administration: Administration, stub: Stub, path: str
) -> None:
    caller = administration.caller("pro")
    slug = caller.save(calls(stub, path))
    before = caller.run(slug, {"name": "Ada"})

    answer = retry(caller, before.json()["executionId"])

    assert int(answer.headers["x-ratelimit-remaining"]) == (
        int(before.headers["x-ratelimit-remaining"]) - 1
    )
    caller.clean()
