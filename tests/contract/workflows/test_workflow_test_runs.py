"""Runs of the tests of a workflow, from their start to the verdict on each test."""

from typing import Any

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.shapes import assert_fits, moment, number, uuid
from tests.support.gateway.documents import edge, greeting, node

ROUTES = {
    "POST /api/workflows/{slug}/tests/run": "workflow:write and workflow:run",
    "GET /api/test-runs/{test_run_id}": "workflow:read",
    "POST /api/test-runs/{test_run_id}/cancel": "workflow:write and workflow:run",
}
NOWHERE = "00000000-0000-4000-8000-000000000000"


def refusal_of(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code), body
    return body


def named(name: str, *expect: str, **members: Any) -> dict[str, Any]:
    return {"inputs": {"name": name}, "expect": list(expect), **members}


def start(caller: Caller, slug: str, body: Any = None, **options: Any) -> httpx2.Response:
    return caller.post(f"/api/workflows/{slug}/tests/run", {} if body is None else body, **options)


def run_of(caller: Caller, run_id: str) -> Any:
    answer = caller.get(f"/api/test-runs/{run_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(caller: Caller, started: httpx2.Response) -> Any:
    """Return a test run once it is over and every test has its verdict on record."""
    assert started.status_code == 202, started.text
    run_id = started.json()["testRunId"]
    return until(lambda: run_of(caller, run_id), lambda found: found["status"] != "processing")


def verdicts(run: Any) -> dict[str, str]:
    return {row["name"]: row["verdict"] for row in run["rows"]}


def failing() -> dict[str, Any]:
    """A workflow that calls an address where nobody listens, if it runs."""
    settings = {"url": "https://nobody.invalid/", "retry": {"attempts": 1}}
    nodes = [node("http", "httpRequest", **settings), node("out", "responseOutput")]
    wires = [edge("http", "response-out", "out", "result-in")]
    return {"name": "Failing", "nodes": nodes, "edges": wires}


def test_each_test_gets_its_verdict_with_the_values_that_expectations_saw(caller: Caller) -> None:
    tests = {
        "passes": named(
            "Ada", 'result.text == "Hello Ada"', 'status == "completed"', "cost == 0.0"
        ),
        "fails": named("Ada", "true", 'result.text == "Bye"'),
        "odd": named("Ada", "result.other == 'a'"),
        "nodes": named("Ada", 'nodes.text.outputs["text-out"] == result.text', "ms >= 0.0"),
        "refused": {"inputs": {"name": 7}, "expect": ["true"]},
    }
    slug = caller.save(greeting(tests=tests))

    started = start(caller, slug, {"version": 1})
    run = ended(caller, started)

    run_id = started.json()["testRunId"]
    assert started.json() == {
        "testRunId": run_id,
        "tests": 5,
        "status": "processing",
        "pollUrl": f"/api/test-runs/{run_id}",
    }
    assert_fits(
        {**run, "rows": None},
        {
            "testRunId": run_id,
            "workflowSlug": slug,
            "workflowVersion": 1,
            "draftRevision": None,
            "status": "completed",
            "counts": {"passed": 2, "failed": 1, "error": 2, "pending": 0},
            "creditsCost": 0,
            "createdAt": moment,
            "completedAt": moment,
            "rows": None,
        },
    )
    rows = {row["name"]: row for row in run["rows"]}
    assert list(rows) == sorted(tests)
    assert_fits(
        rows["fails"],
        {
            "name": "fails",
            "status": "completed",
            "verdict": "failed",
            "executionId": uuid,
            "expectations": list,
            "error": None,
            "judge": None,
            "creditsCost": 0,
            "durationMs": number,
        },
    )
    seen = [(each["met"], each["values"], each["reason"]) for each in rows["fails"]["expectations"]]
    assert seen == [(True, {}, None), (False, {"result.text": "Hello Ada"}, None)]
    assert rows["odd"]["verdict"] == "error"
    assert rows["odd"]["expectations"][0]["met"] is None
    assert rows["odd"]["error"]["code"] == "expression_error"
    refused = rows["refused"]
    assert (refused["verdict"], refused["executionId"], refused["status"]) == (
        "error",
        None,
        "failed",
    )
    assert refused["error"]["code"] == "INVALID_INPUTS"
    execution = caller.execution(rows["passes"]["executionId"])
    assert (execution["source"], execution["testRunId"]) == ("test", run_id)
    assert (execution["batchId"], execution["workflowVersion"]) == (None, 1)


def test_a_run_that_fails_is_an_error_and_pinned_nodes_do_not_run(caller: Caller) -> None:
    pinned = {"http": {"response-out": "Hi"}}
    tests = {
        "calls": {"expect": ["true"]},
        "pinned": {"expect": ['result == "Hi"'], "pinned": pinned},
        "wrong": {"expect": ["true"], "pinned": {"nowhere": {"response-out": "Hi"}}},
        "socket": {"expect": ["true"], "pinned": {"http": {"nothing": 1}}},
    }
    slug = caller.save(failing() | {"tests": tests})

    run = ended(caller, start(caller, slug))

    rows = {row["name"]: row for row in run["rows"]}
    assert verdicts(run) == {
        "calls": "error",
        "pinned": "passed",
        "wrong": "error",
        "socket": "error",
    }
    assert rows["calls"]["error"]["code"] == "EXECUTION_FAILED"
    assert rows["calls"]["executionId"]
    assert "nowhere" in rows["wrong"]["error"]["message"]
    assert "no such output" in rows["socket"]["error"]["message"]


def test_a_draft_is_tested_as_it_was_and_lets_itself_be_published(caller: Caller) -> None:
    tests = {"greets": named("Ada", 'result.text == "HELLO Ada"')}
    slug = caller.save(greeting(tests=tests))
    draft, publish = f"/api/workflows/{slug}/draft", f"/api/workflows/{slug}/publish"
    caller.put(draft, greeting())
    failed = ended(caller, start(caller, slug, {"version": "draft"}))
    refused = refusal_of(caller.post(publish, {"requireTests": True}), 409, "TESTS_FAILED")
    document = greeting()
    document["nodes"][1]["data"]["text"] = "HELLO {{ name }}"
    caller.put(draft, document)
    changed = refusal_of(caller.post(publish, {"requireTests": True}), 409, "TESTS_FAILED")

    passed = ended(caller, start(caller, slug))
    listed = caller.get(f"/api/workflows/{slug}/tests").json()
    published = caller.post(publish, {"requireTests": True})

    assert (verdicts(failed), failed["workflowVersion"]) == ({"greets": "failed"}, None)
    assert (failed["draftRevision"], passed["draftRevision"]) == (1, 2)
    assert "1 of 1 tests did not pass" in refused["error"]
    assert refused["testRunId"] == changed["testRunId"] == failed["testRunId"]
    assert "since it was changed" in changed["error"]
    assert verdicts(passed) == {"greets": "passed"}
    assert_fits(
        listed["draft"],
        {
            "testRunId": passed["testRunId"],
            "passed": True,
            "failed": 0,
            "total": 1,
            "isCurrent": True,
            "at": moment,
        },
    )
    last = {"testRunId": passed["testRunId"], "verdict": "passed", "version": None}
    assert listed["rows"][0]["lastRun"] == last | {"at": passed["createdAt"]}
    assert (published.status_code, published.json()["version"]) == (200, 2)


def test_a_run_of_some_tests_lets_no_draft_pass_but_may_stop_it(caller: Caller) -> None:
    tests = {"good": named("Ada", "true"), "bad": named("Ada", "false")}
    slug = caller.save(greeting(tests=tests))
    caller.put(f"/api/workflows/{slug}/draft", greeting())
    publish = f"/api/workflows/{slug}/publish"

    some = ended(caller, start(caller, slug, {"names": ["good"]}))
    untested = refusal_of(caller.post(publish, {"requireTests": True}), 409, "TESTS_FAILED")
    ended(caller, start(caller, slug, {"names": ["bad"]}))
    stopped = refusal_of(caller.post(publish, {"requireTests": True}), 409, "TESTS_FAILED")

    assert verdicts(some) == {"good": "passed"}
    assert untested["testRunId"] is None
    assert "1 of 1 tests did not pass" in stopped["error"]


def test_a_judge_rates_what_the_test_gave(caller: Caller) -> None:
    judge = greeting(name="Rate")
    judge["nodes"][1]["data"]["text"] = "{{ name }}!"
    rate = caller.save(judge)
    asked = {"workflow": rate, "inputs": {"name": "result.text"}}
    tests = {
        "good": named("Ada", 'judge.text == "Hello Ada!"', judge=asked),
        "bad": named("Bob", 'judge.text == "Hello Ada!"', judge=asked),
        "wrong": named("Ada", "true", judge=asked | {"inputs": {"name": "result.other"}}),
        "missing": named("Ada", "true", judge=asked | {"workflow": "contract-nothing"}),
        "unjudged": {"inputs": {"name": 7}, "judge": asked},
        "plain": named("Ada", "true"),
    }
    slug = caller.save(greeting(tests=tests))

    run = ended(caller, start(caller, slug))

    rows = {row["name"]: row for row in run["rows"]}
    assert verdicts(run) == {
        "bad": "failed",
        "good": "passed",
        "missing": "error",
        "plain": "passed",
        "unjudged": "error",
        "wrong": "error",
    }
    assert rows["good"]["judge"]["result"] == {"text": "Hello Ada!"}
    assert rows["bad"]["expectations"][0]["values"] == {"judge.text": "Hello Bob!"}
    judged = caller.execution(rows["good"]["judge"]["executionId"])
    assert (judged["source"], judged["workflowSlug"]) == ("test", rate)
    assert "judge.inputs.name" in rows["wrong"]["error"]["message"]
    assert rows["missing"]["error"]["code"] == "WORKFLOW_NOT_FOUND"
    assert rows["unjudged"]["error"]["code"] == "INVALID_INPUTS"
    assert caller.get(f"/api/workflows/{rate}").json()["version"] == 1


def test_test_runs_are_no_batches_and_count_in_no_figure(caller: Caller) -> None:
    slug = caller.save(greeting(tests={"greets": named("Ada", "true")}))

    run = ended(caller, start(caller, slug))

    assert run["testRunId"] not in caller.get("/api/batches").text
    refusal_of(caller.get(f"/api/batches/{run['testRunId']}"), 404, "BATCH_NOT_FOUND")
    found = caller.get("/api/workflows?limit=200").json()["rows"]
    [row] = [each for each in found if each["slug"] == slug]
    assert (row["runs7d"], row["lastRun"]) == (0, None)


def test_a_start_is_repeated_by_its_key(caller: Caller) -> None:
    slug = caller.save(greeting(tests={"greets": named("Ada", "true")}))
    key = {"headers": {"Idempotency-Key": f"tests-{slug}"}}

    first = start(caller, slug, {"version": 1}, **key)
    again = start(caller, slug, {"version": 1}, **key)
    other = start(caller, slug, {"names": ["greets"]}, **key)

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_wrong_start_is_refused(caller: Caller) -> None:
    bare = caller.save(greeting())
    slug = caller.save(greeting(tests={"greets": named("Ada", "true")}))

    assert "no tests" in refusal_of(start(caller, bare), 400, "INVALID_BODY")["error"]
    refusal_of(start(caller, slug, {"names": ["other"]}), 404, "TEST_NOT_FOUND")
    refusal_of(start(caller, slug, {"names": []}), 400, "INVALID_BODY")
    refusal_of(start(caller, slug, {"version": 9}), 404, "VERSION_NOT_FOUND")
    refusal_of(start(caller, slug, {"version": 0}), 404, "VERSION_NOT_FOUND")
    refusal_of(start(caller, slug, {"version": "stable"}), 404, "VERSION_NOT_FOUND")
    refusal_of(start(caller, slug, {"version": "Not a name"}), 400, "INVALID_BODY")
    refusal_of(start(caller, slug, {"version": "draft"}), 404, "DRAFT_NOT_FOUND")
    refusal_of(start(caller, "contract-nothing"), 404, "WORKFLOW_NOT_FOUND")
    refusal_of(caller.get(f"/api/test-runs/{NOWHERE}"), 404, "TEST_RUN_NOT_FOUND")
    refusal_of(caller.get("/api/test-runs/nothing"), 404, "TEST_RUN_NOT_FOUND")
    refusal_of(caller.post(f"/api/test-runs/{NOWHERE}/cancel"), 404, "TEST_RUN_NOT_FOUND")


def test_an_alias_names_the_version_to_test(caller: Caller) -> None:
    slug = caller.save(greeting(tests={"greets": named("Ada", 'result.text == "Hello Ada"')}))
    caller.put(f"/api/workflows/{slug}", greeting(description="Second"))
    assert caller.put(f"/api/workflows/{slug}/aliases/stable", {"version": 1}).status_code == 200

    stable = ended(caller, start(caller, slug, {"version": "stable"}))
    live = ended(caller, start(caller, slug, {"version": "live"}))

    assert (stable["workflowVersion"], live["workflowVersion"]) == (1, 2)
    last = caller.get(f"/api/workflows/{slug}/tests/greets").json()["lastRun"]
    assert (last["testRunId"], last["version"]) == (live["testRunId"], 2)


def test_a_draft_with_problems_is_not_tested(caller: Caller) -> None:
    slug = caller.save(greeting(tests={"greets": named("Ada", "true")}))
    document = greeting()
    document["nodes"][1]["type"] = "nothing"
    caller.put(f"/api/workflows/{slug}/draft", document)

    refusal_of(start(caller, slug, {"version": "draft"}), 409, "WORKFLOW_NOT_RUNNABLE")


def test_a_test_run_that_is_cancelled_begins_nothing_more(caller: Caller) -> None:
    nodes = [node("wait", "delay", seconds=600), node("out", "responseOutput")]
    wires = [edge("wait", "value-out", "out", "result-in")]
    tests = {f"t{number}": {"expect": ["true"]} for number in range(6)}
    slug = caller.save({"name": "Slow", "nodes": nodes, "edges": wires, "tests": tests})

    started = start(caller, slug)
    path = f"/api/test-runs/{started.json()['testRunId']}"
    asked = caller.post(f"{path}/cancel")
    run = ended(caller, started)

    assert asked.status_code == 202
    assert (run["status"], run["counts"]["error"]) == ("cancelled", 6)
    assert {row["error"]["code"] for row in run["rows"]} == {"EXECUTION_CANCELLED"}
    assert caller.get(f"/api/workflows/{slug}/tests").json()["rows"][0]["lastRun"] is None
    assert caller.post(f"{path}/cancel").json()["status"] == "cancelled"


def test_runs_of_another_account_are_not_there(administration: Administration) -> None:
    owner, other = administration.caller("pro"), administration.caller("pro")
    slug = owner.save(greeting(tests={"greets": named("Ada", "true")}))
    run = ended(owner, start(owner, slug))

    refusal_of(other.get(f"/api/test-runs/{run['testRunId']}"), 404, "TEST_RUN_NOT_FOUND")
    refusal_of(other.post(f"/api/test-runs/{run['testRunId']}/cancel"), 404, "TEST_RUN_NOT_FOUND")
    refusal_of(start(other, slug), 404, "WORKFLOW_NOT_FOUND")


@pytest.mark.parametrize("capabilities", [("workflow:write",), ("workflow:run", "workflow:read")])
def test_a_start_needs_both_capabilities(
    administration: Administration, capabilities: tuple[str, ...]
) -> None:
    caller = administration.caller("pro", *capabilities)

    refusal_of(start(caller, "greeting"), 403, "CAPABILITY_DENIED")
