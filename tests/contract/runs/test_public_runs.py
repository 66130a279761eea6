"""Public workflows of others: their price, and their runs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.event_streams import STREAM, events_of
from tests.support.contract.installation import Administration, Caller, cleaned, field, form
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.sse_reader import parse
from tests.support.http.target import Stub
from tests.support.media.files import png

HIDDEN = ("hidden-say", "hidden-sum", "customModel", "transform", "echo", "no such key")
"""Texts of the workflow that its callers do not see: ids, types, models and errors of nodes."""


def charged(**members: Any) -> dict[str, Any]:
    """Return a public workflow with a charged node."""
    nodes = [
        form(field("name", "text", default="Ada")),
        node("hidden-say", "customModel", model="echo"),
        node("out", "responseOutput"),
    ]
    edges = [
        edge("in", "name", "hidden-say", "prompt-in"),
        edge("hidden-say", "text-out", "out", "result-in"),
    ]
    return {"name": "Charged", "nodes": nodes, "edges": edges, "publicPlayground": True, **members}


def failing() -> dict[str, Any]:
    """Return a public workflow that fails after a charged node."""
    document = charged(name="Failing")
    document["nodes"][-1:-1] = [node("hidden-sum", "transform", expression="value.missing")]
    document["edges"][-1:] = [
        edge("hidden-say", "text-out", "hidden-sum", "value-in"),
        edge("hidden-sum", "value-out", "out", "result-in"),
    ]
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """An account other than the owner's: its browser and its key, which may have a webhook."""

    account_id: str
    browser: Caller
    caller: Caller
    key_id: str

    @property
    def balance(self) -> int:
        """Return the account's credits."""
        return int(self.browser.get("/api/me").json()["credits"]["balance"])


@pytest.fixture
def runner(administration: Administration) -> Iterator[Runner]:
    account = administration.account("pro")
    browser = administration.browser(account)
    body = {"name": "runner", "capabilities": ["workflow:run", "webhook:receive"]}
    made = browser.post("/api/api-keys", body).json()
    for caller in cleaned(administration.with_key(made["key"])):
        yield Runner(account_id=account, browser=browser, caller=caller, key_id=made["id"])


def assert_hides(owner_id: str, *texts: str) -> None:
    """Fail for an answer that shows a part of the workflow, or its owner."""
    for text in texts:
        assert not [each for each in (*HIDDEN, owner_id) if each in text], text


def owner_of(caller: Caller) -> str:
    """Return the account of a client."""
    return str(caller.get("/api/whoami").json()["user"]["id"])


def price(client: Caller | httpx2.Client, slug: str) -> Any:
    """Return the estimate that the public schema shows; None: it shows none."""
    answer = client.get(f"/api/workflows/{slug}/public-schema")
    assert answer.status_code == 200, answer.text
    return answer.json().get("estimatedCreditCost")


def test_accounts_see_the_price_at_their_own_markup_and_visitors_none(
    administration: Administration, caller: Caller, browser: Caller, anonymous: httpx2.Client
) -> None:
    slug = caller.save(charged())
    own = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]
    enterprise = administration.caller("enterprise", "webhook:receive")

    assert price(caller, slug) == price(browser, slug) == own
    assert 0 < price(enterprise, slug) < own
    assert price(anonymous, slug) is None


def test_an_ended_session_sees_a_public_form_as_a_visitor_and_a_wrong_key_is_refused(
    caller: Caller, anonymous: httpx2.Client
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    path = f"/api/workflows/{slug}/public-schema"

    ended = anonymous.get(path, headers={"cookie": "headrace_session=hr_session_gone"})
    wrong = anonymous.get(path, headers={"x-api-key": "hr_live_wrong"})

    assert (ended.status_code, ended.json()) == (200, anonymous.get(path).json())
    assert wrong.status_code == 401


@pytest.mark.parametrize("is_known", [True, False])
def test_a_personal_price_is_not_stored_by_caches(
    caller: Caller, anonymous: httpx2.Client, is_known: bool
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    client = caller if is_known else anonymous

    answer = client.get(f"/api/workflows/{slug}/public-schema")

    stored = answer.headers.get("cache-control", "")
    assert ("no-store" in stored) is is_known
    assert {"cookie", "x-api-key"} <= set(answer.headers["vary"].split(", "))


def test_another_account_runs_a_public_workflow_and_pays_for_it(
    caller: Caller, runner: Runner
) -> None:
    slug = caller.save(charged())
    spent_by_owner = len(caller.get(f"/api/usage?workflowSlug={slug}").json()["rows"])
    before = runner.balance

    answers = [
        runner.caller.run(slug, {"name": "Eve"}),
        runner.browser.run(slug, {"name": "Eve"}),
    ]

    assert [each.status_code for each in answers] == [200, 200], answers[0].text
    costs = [each.json()["cost"] for each in answers]
    assert all(each.json()["result"] == answers[0].json()["result"] for each in answers)
    assert costs == [price(runner.caller, slug)] * 2
    assert runner.balance == before - sum(costs)
    rows = runner.caller.get(f"/api/usage?workflowSlug={slug}").json()["rows"]
    assert [(each["source"], each["creditsCost"]) for each in rows] == [
        ("app", costs[1]),
        ("api-workflow", costs[0]),
    ]
    assert all(each["userId"] == runner.account_id for each in rows)
    assert len(caller.get(f"/api/usage?workflowSlug={slug}").json()["rows"]) == spent_by_owner


def test_the_limits_of_a_public_run_are_the_runners(
    administration: Administration, caller: Caller
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    pro = administration.caller("pro", f"workflow:{slug}:run")

    answer = pro.run(slug, {"name": "Eve"})

    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ratelimit-limit"] == "100"
    assert answer.headers["x-ratelimit-remaining"] == "99"


def test_a_key_without_the_capability_and_an_account_without_approval_do_not_run(
    administration: Administration, caller: Caller
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    reader = administration.caller("pro", "workflow:read", "workflow:other:run")
    waiting = administration.browser(administration.account("free", approved=False))

    assert reader.run(slug, {"name": "Eve"}).json()["code"] == "CAPABILITY_DENIED"
    assert waiting.run(slug, {"name": "Eve"}).json()["code"] == "ACCOUNT_NOT_APPROVED"


def test_a_workflow_that_is_not_public_any_more_is_as_unknown_as_none(
    caller: Caller, runner: Runner
) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    assert runner.caller.run(slug, {"name": "Eve"}).status_code == 200

    caller.put(f"/api/workflows/{slug}", {"publicPlayground": False})

    hidden, unknown = runner.caller.run(slug, {"name": "Eve"}), runner.caller.run("no-such", {})
    assert (hidden.status_code, hidden.json()) == (404, unknown.json())


def test_an_execution_shows_its_caller_nothing_of_the_workflow(
    caller: Caller, runner: Runner
) -> None:
    slug = caller.save(charged())

    ran = runner.caller.run(slug, {"name": "Eve"})
    shown = runner.caller.get(f"/api/executions/{ran.json()['executionId']}")
    listed = runner.caller.get(f"/api/executions?workflowSlug={slug}")
    used = runner.caller.get(f"/api/usage?workflowSlug={slug}")

    body = shown.json()
    assert (body["status"], body["creditsCost"]) == ("completed", ran.json()["cost"])
    assert body["result"] == ran.json()["result"]
    assert (body["nodes"], body["workflowVersion"], body["modelIds"]) == ([], None, [])
    assert used.json()["rows"][0]["modelIds"] == []
    texts = (ran.text, shown.text, listed.text, used.text)
    result = str(ran.json()["result"]["text"])
    assert_hides(owner_of(caller), *(each.replace(result, "") for each in texts))


def test_no_filter_tells_the_models_of_the_workflow(caller: Caller, runner: Runner) -> None:
    slug = caller.save(charged())
    runner.caller.run(slug, {"name": "Eve"})

    found = runner.caller.get(f"/api/usage?workflowSlug={slug}&modelId=echo").json()

    assert (found["rows"], found["total"]) == ([], 0)


def test_metrics_name_no_part_of_the_workflow(
    caller: Caller, runner: Runner, anonymous: httpx2.Client
) -> None:
    runner.caller.run(caller.save(failing()), {"name": "Eve"})

    text = anonymous.get("/metrics").text

    assert "headrace_" in text
    assert not [each for each in ("hidden-", owner_of(caller), runner.account_id) if each in text]


def test_no_node_of_a_public_run_is_shown_to_its_caller(caller: Caller, runner: Runner) -> None:
    ran = runner.caller.run(caller.save(charged()), {"name": "Eve"})
    execution = f"/api/executions/{ran.json()['executionId']}"

    answers = [
        runner.caller.get(f"{execution}/nodes/hidden-say"),
        runner.caller.get(f"{execution}/nodes/nobody"),
        runner.caller.get(f"{execution}/values?node=hidden-say&output=text-out"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert [answer.json()["code"] for answer in answers] == ["NODE_NOT_FOUND"] * 3
    assert len({answer.text for answer in answers}) == 1
    assert runner.caller.get(execution).json()["inputs"] == {"name": "Eve"}


def test_its_author_sees_nothing_of_the_execution(caller: Caller, runner: Runner) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    execution_id = runner.caller.run(slug, {"name": "Eve"}).json()["executionId"]

    assert caller.get(f"/api/executions/{execution_id}").status_code == 404
    assert caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"] == []


def test_a_failure_does_not_tell_where_and_why(caller: Caller, runner: Runner) -> None:
    slug = caller.save(failing())

    answer = runner.caller.run(slug, {"name": "Eve"})

    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "EXECUTION_FAILED")
    assert set(body) == {"error", "code", "executionId"}
    shown = runner.caller.get(f"/api/executions/{body['executionId']}")
    assert set(shown.json()["error"]) == {"code", "message"}
    assert shown.json()["creditsCost"] > 0  # the node before it is charged
    used = runner.caller.get(f"/api/usage?workflowSlug={slug}")
    assert_hides(owner_of(caller), answer.text, shown.text, used.text)


def chained(count: int, **members: Any) -> dict[str, Any]:
    """Return a public workflow with charged nodes in line."""
    document = charged(name="Chained", **members)
    names = [f"hidden-say-{number}" for number in range(count)]
    document["nodes"][1:2] = [node(name, "customModel", model="echo") for name in names]
    ends = [("in", "name"), *((name, "text-out") for name in names)]
    document["edges"] = [
        edge(*start, name, "prompt-in") for start, name in zip(ends, names, strict=False)
    ]
    document["edges"].append(edge(names[-1], "text-out", "out", "result-in"))
    return document


def test_the_ledger_tells_neither_number_nor_prices_of_nodes(
    caller: Caller, runner: Runner
) -> None:
    slug = caller.save(chained(3))

    ran = runner.caller.run(slug, {"name": "Eve"}).json()

    rows = runner.caller.get(f"/api/ledger?executionId={ran['executionId']}").json()["rows"]
    kinds = [each["kind"] for each in reversed(rows)]
    assert kinds in (["reserve", "capture"], ["reserve", "capture", "release"])
    assert sum(each["credits"] for each in rows) == -ran["cost"]
    assert {tuple(sorted(each)) for each in rows} == {
        ("at", "balance", "credits", "executionId", "id", "kind")
    }
    own = caller.run(slug, {"name": "Ada"}).json()["executionId"]
    shown = caller.get(f"/api/ledger?executionId={own}").json()["rows"]
    assert [each["kind"] for each in shown].count("capture") == 3


@pytest.mark.parametrize("count", [1, 4])
def test_ids_of_events_tell_no_number_of_steps(caller: Caller, runner: Runner, count: int) -> None:
    slug = caller.save(chained(count))

    events = parse(runner.caller.run(slug, {"name": "Eve"}, headers=STREAM).text)

    assert [each.id for each in events] == ["1.1", "2.1"]
    execution_id = events[-1].data["executionId"]
    assert [each.id for each in events_of(runner.caller, execution_id)] == ["1.1", "2.1"]
    path = f"/api/executions/{execution_id}/events"
    assert runner.caller.get(path, headers={"last-event-id": "2.1"}).status_code == 204
    rest = parse(runner.caller.get(path, headers={"last-event-id": "1.1"}).text)
    assert [each.id for each in rest] == ["2.1"]
    next_one, far = (
        runner.caller.get(path, headers={"last-event-id": f"{number}.1"}) for number in (3, 999)
    )
    assert (next_one.status_code, next_one.text) == (far.status_code, far.text)


def test_the_cost_is_told_at_the_end_alone(caller: Caller, runner: Runner, stub: Stub) -> None:
    document = charged(name="Slow")
    document["nodes"][-1:-1] = [
        node("call", "httpRequest", url=f"{stub.url}/status/200", method="POST"),
        node("slow", "httpRequest", url=f"{stub.url}/slow/1", method="POST", onError="continue"),
    ]
    document["edges"][-1:] = [
        edge("hidden-say", "text-out", "call", "body-in"),
        edge("call", "response-out", "slow", "body-in"),
        edge("hidden-say", "text-out", "out", "result-in"),
        edge("slow", "response-out", "out", "result-in"),
    ]
    slug = caller.save(document)
    execution_id = runner.caller.start(slug, {"name": "Eve"})

    until(lambda: stub.at("/status/200"), lambda found: len(found) == 1)  # the model was paid
    shown = runner.caller.execution(execution_id)
    used = runner.caller.get(f"/api/usage?workflowSlug={slug}").json()["rows"]

    assert (shown["status"], shown["creditsCost"]) == ("processing", 0)
    assert [(each["creditsCost"], each["cost"], each["userCost"]) for each in used] == [(0, 0, 0)]
    assert runner.caller.ended(execution_id)["creditsCost"] > 0


@pytest.mark.parametrize("make", [charged, failing])
def test_a_stream_has_begin_and_end_alone(caller: Caller, runner: Runner, make: Any) -> None:
    slug = caller.save(make())

    answer = runner.caller.run(slug, {"name": "Eve"}, headers=STREAM)
    events = parse(answer.text)

    assert [each.name for each in events] == ["execution.started", "execution.finished"]
    again = events_of(runner.caller, events[-1].data["executionId"])
    assert [each.name for each in again] == ["execution.started", "execution.finished"]
    result = events[-1].data["result"]
    text = answer.text.replace(result["text"], "") if result else answer.text
    assert_hides(owner_of(caller), text)


@pytest.mark.parametrize("make", [charged, failing])
def test_a_webhook_receives_no_more_than_the_record_shows(
    caller: Caller, runner: Runner, stub: Stub, make: Any
) -> None:
    slug = caller.save(make())
    runner.browser.put(f"/api/api-keys/{runner.key_id}/webhook", {"url": f"{stub.url}/public"})

    execution_id = runner.caller.start(slug, {"name": "Eve"})

    (request,) = until(lambda: stub.at("/public"), lambda found: len(found) == 1)
    body = json.loads(request.body)
    assert (body["executionId"], body["workflowSlug"]) == (execution_id, slug)
    assert (body["userId"], body["modelIds"]) == (runner.account_id, [])
    text = request.body.decode()
    result = (body.get("result") or {}).get("text", "")
    assert_hides(owner_of(caller), text.replace(result, "") if result else text)


def test_a_deleted_workflow_finishes_what_others_run(
    caller: Caller, runner: Runner, stub: Stub
) -> None:
    nodes = [
        node("call", "httpRequest", url=f"{stub.url}/slow?ms=700"),
        node("out", "responseOutput"),
    ]
    edges = [edge("call", "response-out", "out", "result-in")]
    slug = caller.save({"name": "S", "nodes": nodes, "edges": edges, "publicPlayground": True})
    execution_id = runner.caller.start(slug)

    caller.delete(f"/api/workflows/{slug}")

    assert runner.caller.ended(execution_id)["status"] == "completed"
    assert runner.caller.run(slug).status_code == 404


def test_assets_of_a_public_run_are_the_owners(caller: Caller, runner: Runner) -> None:
    asset = caller.post("/api/assets", files={"file": ("a.png", png(), "image/png")}).json()
    nodes = [node("up", "upload", asset=asset["id"]), node("out", "responseOutput")]
    edges = [edge("up", "image-out", "out", "result-in")]
    slug = caller.save({"name": "U", "nodes": nodes, "edges": edges, "publicPlayground": True})

    answer = runner.caller.run(slug)

    assert answer.status_code == 200, answer.text
    (url,) = answer.json()["result"]["images"]
    assert httpx2.get(url, timeout=30).content == png()
    assert runner.caller.get(f"/api/assets/{asset['id']}").status_code == 404


def test_a_public_workflow_that_cannot_run_is_as_unknown_as_none(
    caller: Caller, runner: Runner
) -> None:
    slug = caller.save(charged(draft=True))

    answer = runner.caller.run(slug, {"name": "Eve"})

    assert (answer.status_code, answer.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")


def test_a_stranger_pays_before_a_public_run_begins(
    administration: Administration, caller: Caller
) -> None:
    slug = caller.save(charged())
    poor = administration.caller("enterprise", "workflow:run")  # without an allowance

    answer = poor.run(slug, {"name": "Eve"})

    assert (answer.status_code, answer.json()["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert poor.get(f"/api/executions?workflowSlug={slug}").json()["rows"] == []
